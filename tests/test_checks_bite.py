"""The checks are checked: damage is done to a copy of the course, and the tests must turn red.

Each damage runs the pytest command of the Makefile, narrowed to the files that it is about.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from tools.chromium import find_chromium

LECTURE = "notebooks/00_start_here.ipynb"
PARTS = ("lecture_utils", "notebooks", "tests", "tools", "website", "CITATION.cff")
PARTS += ("README.md", "TEACHING.md", "Makefile", "pyproject.toml")


@pytest.fixture
def course(tmp_path):
    """A copy of the course."""
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            shutil.copytree(source, tmp_path / name, ignore=ignore)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def run_tests(course, *selection):
    """The pytest command of `make test` in the copy, for `selection` only."""
    makefile = (course / "Makefile").read_text(encoding="utf-8")
    variables = dict(re.findall(r"(?m)^(\w+) := (.+)$", makefile))
    options = re.search(r"-m pytest (.+)", makefile)[1].replace("-n 2 --dist loadfile", "-n 0")
    options = re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], options)
    command = [sys.executable, "-m", "pytest", *options.split(), "-rfE", "--tb=short", *selection]
    environment = {**os.environ, "PYTHONPATH": str(course)}
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)


class Notebook:
    """A notebook of the copy, to be damaged; cells are found by words in their source."""

    def __init__(self, course, name=LECTURE):
        self.path = course / name
        self.content = json.loads(self.path.read_text(encoding="utf-8"))

    def cell(self, words):
        return next(c for c in self.content["cells"] if words in "".join(c["source"]))

    def replace(self, old, new):
        cell = self.cell(old)
        cell["source"] = "".join(cell["source"]).replace(old, new)

    def save(self):
        self.path.write_text(json.dumps(self.content), encoding="utf-8")


def a_shown_number_changed(course):
    notebook = Notebook(course)
    html = notebook.cell('"by hand", np')["outputs"][0]["data"]["text/html"]
    changed = [line.replace("0.5108", "0.5109") for line in html]
    assert changed != html
    html[:] = changed
    notebook.save()


def a_claim_made_false(course):
    notebook = Notebook(course)
    notebook.replace("rolls.mean() - expected", "rolls.mean() - expected - 0.1")
    notebook.save()


def a_sign_flipped_in_a_formula(course):
    path = course / "lecture_utils" / "divergences.py"
    text = path.read_text(encoding="utf-8")
    flipped = text.replace("xlogy(p, p) - xlogy(p, q) - p", "xlogy(p, p) + xlogy(p, q) - p")
    assert flipped != text
    path.write_text(flipped, encoding="utf-8")


def an_output_stripped(course):
    notebook = Notebook(course)
    notebook.cell("rolls.mean()")["outputs"] = []
    notebook.save()


def a_cell_unexecuted(course):
    notebook = Notebook(course)
    notebook.cell("rolls.mean()")["execution_count"] = None
    notebook.save()


def counts_swapped(course):
    notebook = Notebook(course)
    one, other = notebook.cell("rolls.mean()"), notebook.cell('"by hand", np')
    counts = one["execution_count"], other["execution_count"]
    other["execution_count"], one["execution_count"] = counts
    notebook.save()


def an_alt_text_removed(course):
    notebook = Notebook(course, "notebooks/01_kl_divergence.ipynb")
    notebook.cell('what we believe", color')["outputs"][0]["metadata"] = {}
    notebook.save()


def a_definition_that_departs(course):
    notebook = Notebook(course, "notebooks/01_kl_divergence.ipynb")
    notebook.replace("np.log1p(d)", "np.log(1 + d)")
    notebook.save()


def a_role_missing(course):
    notebook = Notebook(course)
    notebook.cell("are installed")["metadata"]["tags"] = []
    notebook.save()


def two_roles(course):
    notebook = Notebook(course)
    notebook.cell("are installed")["metadata"]["tags"] = ["check", "setup"]
    notebook.save()


def a_lesson_too_long(course):
    notebook = Notebook(course)
    notebook.replace("tolerance = 5", "# one more line\n" * 5 + "tolerance = 5")
    notebook.save()


def a_check_unfolded(course):
    notebook = Notebook(course)
    del notebook.cell("are installed")["metadata"]["jupyter"]
    notebook.save()


def a_lesson_folded(course):
    notebook = Notebook(course)
    notebook.cell("rolls.mean()")["metadata"]["jupyter"] = {"source_hidden": True}
    notebook.save()


def a_picture_called_a_lesson(course):
    notebook = Notebook(course, "notebooks/02_kl_is_never_negative.ipynb")
    metadata = notebook.cell("touches it once")["metadata"]
    metadata["tags"] = ["lesson"]
    del metadata["jupyter"]
    notebook.save()


def a_printed_table(course):
    notebook = Notebook(course)
    output = notebook.cell("rolls.mean()")["outputs"][0]
    output["text"] = [*output["text"], "mean   3.50\n"]
    notebook.save()


def a_note_that_does_not_fold(course):
    notebook = Notebook(course)
    notebook.replace("<details><summary>Speaker's note</summary>", "**Speaker's note.**")
    notebook.save()


def a_hidden_note(course):
    notebook = Notebook(course)
    notebook.cell("Speaker's note")["metadata"]["jupyter"] = {"source_hidden": True}
    notebook.save()


def a_cell_that_nbval_ignores(course):
    notebook = Notebook(course)
    notebook.replace("rolls = rng", "# NBVAL_IGNORE_OUTPUT\nrolls = rng")
    notebook.save()


def a_measured_number_in_prose(course):
    notebook = Notebook(course)
    notebook.replace("## What a claim looks like", "It is 0.51 nats.\n\n## What a claim looks like")
    notebook.save()


def a_solution_leaked(course):
    copy = Notebook(course, "notebooks/exercises/01_kl_divergence.ipynb")
    solution = Notebook(course, "notebooks/solutions/01_kl_divergence.ipynb")
    lines = "".join(solution.cell("BEGIN SOLUTION")["source"]).splitlines()
    answer = lines[lines.index("    # BEGIN SOLUTION") + 1]
    copy.replace('    raise NotImplementedError("your code here")', answer)
    copy.save()


def a_cdn_link_in_an_output(course):
    notebook = Notebook(course)
    link = '<script src="https://cdn.example/library.js"></script>'
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": link}}
    notebook.cell("rolls.mean()")["outputs"].append(output)
    notebook.save()


def a_slide_that_overflows(course):
    notebook = Notebook(course)
    notebook.replace("**Predict**, then", "one more line\n\n" * 90 + "**Predict**, then")
    notebook.save()


def a_formula_that_does_not_render(course):
    notebook = Notebook(course)
    notebook.replace("**Predict**, then", "$3\\halfmacro$ **Predict**, then")
    notebook.save()


def a_cdn_link_on_a_slide(course):
    notebook = Notebook(course)
    picture = '<img src="https://cdn.example/x.png" alt="A picture from far away, not here.">\n\n'
    notebook.replace("**Predict**, then", picture + "**Predict**, then")
    notebook.save()


def a_placeholder_alt_text(course):
    notebook = Notebook(course)
    placeholder = "No description has been provided for this image"
    picture = f'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="{placeholder}">\n\n'
    notebook.replace("**Predict**, then", picture + "**Predict**, then")
    notebook.save()


NOTEBOOK_TESTS = ("tests/test_notebooks.py",)
DAMAGES = {
    a_shown_number_changed: ((LECTURE,), "00_start_here"),
    a_claim_made_false: ((LECTURE,), "00_start_here"),
    a_sign_flipped_in_a_formula: (
        ("tests/test_divergences.py", *NOTEBOOK_TESTS, "-k", "scipy_in_batches or shown_once"),
        "agrees_with_scipy",
    ),
    an_output_stripped: (NOTEBOOK_TESTS, "00_start_here-execution"),
    a_cell_unexecuted: (NOTEBOOK_TESTS, "00_start_here-execution"),
    counts_swapped: (NOTEBOOK_TESTS, "00_start_here-execution"),
    an_alt_text_removed: (NOTEBOOK_TESTS, "01_kl_divergence-alt_texts"),
    a_definition_that_departs: (NOTEBOOK_TESTS, "shown_once"),
    a_role_missing: (NOTEBOOK_TESTS, "00_start_here-roles"),
    two_roles: (NOTEBOOK_TESTS, "00_start_here-roles"),
    a_lesson_too_long: (NOTEBOOK_TESTS, "00_start_here-roles"),
    a_check_unfolded: (NOTEBOOK_TESTS, "00_start_here-roles"),
    a_lesson_folded: (NOTEBOOK_TESTS, "00_start_here-roles"),
    a_picture_called_a_lesson: (NOTEBOOK_TESTS, "02_kl_is_never_negative-roles"),
    a_printed_table: (NOTEBOOK_TESTS, "00_start_here-no_printed_tables"),
    a_note_that_does_not_fold: (NOTEBOOK_TESTS, "00_start_here-notes"),
    a_hidden_note: (NOTEBOOK_TESTS, "00_start_here-notes"),
    a_cell_that_nbval_ignores: (("tests/test_tables.py",), "escapes_nbval[00_start_here]"),
    a_measured_number_in_prose: (NOTEBOOK_TESTS, "00_start_here-prose"),
    a_cdn_link_in_an_output: (NOTEBOOK_TESTS, "00_start_here-offline"),
    a_solution_leaked: (
        ("tests/test_exercises.py", "-k", "no_line_of_a_solution and 01_kl"),
        "no_line_of_a_solution",
    ),
}
ON_SLIDES = [
    a_slide_that_overflows,
    a_formula_that_does_not_render,
    a_cdn_link_on_a_slide,
    a_placeholder_alt_text,
]


def assert_red(result, where):
    failed = [line for line in result.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert result.returncode == 1, result.stdout[-2000:] + result.stderr[-500:]
    assert [line for line in failed if where in line], failed


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_turns_a_check_red(course, damage):
    selection, where = DAMAGES[damage]
    damage(course)
    assert_red(run_tests(course, *selection), where)


@pytest.mark.parametrize("damage", ON_SLIDES, ids=lambda damage: damage.__name__)
def test_damage_to_slides_turns_a_check_red(course, damage):
    if find_chromium() is None:
        pytest.skip("no Chromium found: slides not checked")
    keep_only_the_first_lecture(course)
    damage(course)
    assert_red(run_tests(course, "tests/test_slides.py", "-k", "test_deck and 00_"), "test_deck")


def keep_only_the_first_lecture(course):
    for path in (course / "notebooks").rglob("*.ipynb"):
        if path.name != "00_start_here.ipynb":
            path.unlink()


def test_without_damage_the_same_checks_are_green(course):
    selections = {argument for selection, _ in DAMAGES.values() for argument in selection}
    files = sorted(argument for argument in selections if argument.endswith((".py", ".ipynb")))
    words = "scipy_in_batches or shown_once or no_line_of_a_solution or test_lecture or 00_start"
    result = run_tests(course, *files, "-k", f"({words}) or Cell")
    assert result.returncode == 0, result.stdout[-3000:]
    if find_chromium() is not None:
        keep_only_the_first_lecture(course)
        result = run_tests(course, "tests/test_slides.py", "-k", "test_deck and 00_")
        assert result.returncode == 0, result.stdout[-3000:]
