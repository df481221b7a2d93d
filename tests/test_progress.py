"""`make progress`, on small notebooks in a course of their own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import nbformat
import psutil
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook

from lecture_utils.exercises.registry import TOPICS
from tools import make_exercises, progress

NAME = "01_kl_divergence"
FIRST_CELL = "import numpy as np\n\nfrom lecture_utils.exercises import check"


def answered(body, name="extra_bits", parameters="counts, lengths"):
    return f'def {name}({parameters}):\n    {body}\n\n\ncheck("{name}", {name})'


STUB = answered("raise NotImplementedError")


@pytest.fixture
def course(tmp_path):
    """A course of its own: the tools, lectures and solutions 01 and 02, no student notebooks."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=ignored)
    notebooks = tmp_path / "notebooks"
    (notebooks / "solutions").mkdir(parents=True)
    (notebooks / "exercises").mkdir()
    for path in sorted((ROOT / "notebooks" / "solutions").glob("0[12]_*.ipynb")):
        shutil.copy(path, notebooks / "solutions")
        shutil.copy(path.parents[1] / path.name, notebooks)
    return tmp_path


def write(course, *sources, name=NAME):
    """Write a student notebook with a cell for each source."""
    cells = [new_code_cell(source) for source in (FIRST_CELL, *sources)]
    nbformat.write(new_notebook(cells=cells), course / "notebooks" / "exercises" / f"{name}.ipynb")


def run(course, *arguments):
    """Run the command, without its progress bar, and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "tools.progress", *arguments],
        cwd=course,
        env={**os.environ, "TQDM_DISABLE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def report(course, *arguments, status=0):
    """Run the command; return the state by exercise, the last line, and what went to stderr."""
    done = run(course, *arguments)
    assert done.returncode == status, done.stderr
    _, head, *table, _, last = done.stdout.splitlines()
    assert head.split() == ["lecture", "exercise", "state"]
    rows = [re.fullmatch(r"(?:\d\d_\w+)? +(\w+)  +(\S.*)", line) for line in table]
    return {row[1]: row[2] for row in rows}, last, done.stderr


def test_solutions_are_right_and_untouched_copies_not_yet(course):
    notebooks = course / "notebooks"
    make_exercises.main(notebooks)
    shutil.copy(notebooks / "solutions" / f"{NAME}.ipynb", notebooks / "exercises")
    before = {path: path.read_bytes() for path in notebooks.rglob("*.ipynb")}
    states, last, errors = report(course)
    assert states == {
        "extra_bits": "right",
        "both_orders": "right",
        "kl_of_samples": "right",
        "kl_of_counts": "not yet",
        "pinsker_range": "not yet",
        "nudge_coefficient": "not yet",
    }
    assert (last, errors) == ("3 of 6 exercises are right, as the files are saved", "")
    states, last, _ = report(course, "--notebooks", "2")
    assert (len(states), last) == (3, "0 of 3 exercises are right, as the files are saved")
    files = [path for path in notebooks.rglob("*") if path.is_file()]
    assert {path: path.read_bytes() for path in files} == before


def test_only_what_was_changed_is_run(course):
    path, mark = course / "notebooks" / "exercises" / f"{NAME}.ipynb", "was_run"
    write(course, f"open({mark!r}, 'w').close()", STUB)
    notebook = nbformat.read(path, 4)
    notebook.metadata["exercises"] = {"generated_sha256": make_exercises.digest(notebook)}
    nbformat.write(notebook, path)
    assert report(course)[0] == {"extra_bits": "not yet"}
    assert not path.with_name(mark).exists()
    notebook.cells.pop(0)
    nbformat.write(notebook, path)
    done = run(course)
    assert (done.returncode, "extra_bits" in done.stdout) == (1, False)
    assert done.stderr.startswith(f"{NAME}.ipynb cannot be judged: the first cell, which imports")
    assert path.with_name(mark).exists()


def test_each_exercise_is_judged_for_itself(course):
    write(
        course,
        "this is no Python",
        STUB,
        answered("return x_p +", "kl_of_samples", "x_p, x_q"),
    )
    states, last, errors = report(course)
    assert states == {
        "extra_bits": "not yet",
        "both_orders": "wrong: its check is not in the notebook",
        "kl_of_samples": "wrong: SyntaxError: invalid syntax (line 2)",
    }
    assert (last, errors) == ("0 of 3 exercises are right, as the files are saved", "")


def test_a_wrong_answer_says_what_the_check_says(course):
    write(course, answered("return -1.0"), answered("print(1)", "kl_of_samples", "x_p, x_q"))
    states, _, _ = report(course)
    assert re.fullmatch(r"wrong: your answer is -1\..*, right is .*", states["extra_bits"])
    assert re.fullmatch(r"wrong: it returned None.*", states["kl_of_samples"])


def test_a_later_cell_may_mend_an_answer_and_not_spoil_it(course):
    solution = nbformat.read(course / "notebooks" / "solutions" / f"{NAME}.ipynb", 4)
    right = next(cell.source for cell in solution.cells if 'check("extra_bits"' in cell.source)
    write(course, answered("return -1.0"), right, STUB)
    assert report(course)[0]["extra_bits"] == "right"


def test_a_check_that_does_not_run_is_not_right(course):
    write(course, '# check("extra_bits", extra_bits)\nprint("extra_bits")')
    assert report(course)[0]["extra_bits"] == "wrong: its check did not run"


def test_what_does_not_end_or_ends_the_kernel_costs_only_its_own_exercise(course):
    tool = course / "tools" / "progress.py"
    text = tool.read_text(encoding="utf-8")
    shorter = text.replace("SECONDS_PER_CELL = 100 ", "SECONDS_PER_CELL = 6 ")
    assert shorter != text
    tool.write_text(shorter, encoding="utf-8")
    endless = "while True:\n    try:\n        input()\n    except BaseException:\n        pass\n"
    write(
        course,
        'while True: "a cell of its own"',
        endless + STUB,
        answered("import os; os._exit(0)", "both_orders", "log_p, log_q, x_p, x_q"),
        answered("return -1.0", "kl_of_samples", "x_p, x_q"),
    )
    states, _, errors = report(course)
    assert states["extra_bits"] == "wrong: no answer after 6 seconds; does a loop never end?"
    assert states["both_orders"] == "wrong: it ended the kernel"
    assert states["kl_of_samples"].startswith("wrong: your answer is -1.")
    assert errors == (
        f'{NAME}.ipynb was run without `while True: "a cell of its own"`: '
        "no answer after 6 seconds; does a loop never end?\n"
    )


@pytest.mark.parametrize("content", ["", "{}", '{"cells": 3}', "not a notebook", "[]"])
def test_a_file_that_is_no_notebook_is_named_in_one_line(content, course):
    make_exercises.main(course / "notebooks")
    (course / "notebooks" / "exercises" / f"{NAME}.ipynb").write_text(content)
    states, last, errors = report(course, status=1)
    assert (len(states), last) == (3, "0 of 3 exercises are right, as the files are saved")
    assert re.fullmatch(rf"{NAME}\.ipynb cannot be .+\n", errors)


def refusal(course, *arguments):
    done = run(course, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"refused: .+\n", done.stderr)
    return done.stderr


def test_what_is_not_there_is_refused(course):
    assert "make exercises" in refusal(course)
    write(course, STUB)
    assert '"77"' in refusal(course, "--notebooks", "77")
    assert refusal(course, "--notebooks", "01 02").endswith("has no exercises for 02\n")
    assert "--speed" in refusal(course, "--speed", "3")


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to a process alone")
def test_interrupted_it_leaves_no_kernel(course):
    write(course, "while True: pass", STUB)
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.progress"],
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        kernels = []
        while not kernels:
            assert process.poll() is None
            kernels = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert errors.endswith("stopped: no kernel is left\n")
    assert "Traceback" not in errors
    assert not psutil.wait_procs(kernels, timeout=10)[1]


# ---- what was not judged, copies, other folders ----


def a_cell(name, state):
    """Return the outputs of a cell with an error."""
    return [nbformat.v4.new_output("error", ename=name, evalue=state, traceback=[])]


@pytest.fixture
def judged(monkeypatch, tmp_path):
    """Judge cells whose outputs are given, without a kernel."""

    def judge(*cells, name=NAME):
        write_to = tmp_path / "notebooks" / "exercises" / f"{name}.ipynb"
        write_to.parent.mkdir(parents=True, exist_ok=True)
        sources, outputs = zip(*cells, strict=True)
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), write_to)

        def execute(notebook, folder, interrupted):
            for cell, output in zip(notebook.cells, outputs, strict=True):
                cell.outputs = output
            return {}

        monkeypatch.setattr(progress, "execute", execute)
        return progress.judge(write_to, None)

    return judge


NO_CHECK = a_cell("NameError", "name 'check' is not defined")


def test_a_first_cell_that_fails_is_what_is_said(judged, capsys):
    failure = a_cell("ModuleNotFoundError", "No module named 'lecture_utils'")
    said = judged((FIRST_CELL, failure), (STUB, NO_CHECK))
    assert said == (
        f"{NAME}.ipynb cannot be judged: its first cell fails: "
        "ModuleNotFoundError: No module named 'lecture_utils'"
    )
    assert progress.report({progress.Path(f"{NAME}.ipynb"): said}) == 1
    out, err = capsys.readouterr()
    assert out.strip() == "0 of 0 exercises are right, as the files are saved"
    assert err == f"{said}\n"


@pytest.mark.parametrize("cells", [((STUB, NO_CHECK),), (("x = 1", []), (STUB, NO_CHECK))])
def test_without_check_nothing_is_judged(cells, judged):
    assert "the first cell, which imports `check`, is not there" in judged(*cells)


def test_a_name_that_an_earlier_cell_failed_to_make_is_no_wrong_answer(judged):
    data = ("samples, other = load()", a_cell("FileNotFoundError", "no data"))
    undefined = "✗ extra_bits: line 2 of the cell raised NameError: name 'samples' is not defined"
    states = judged(
        (FIRST_CELL, []),
        data,
        (STUB, a_cell("Wrong", undefined)),
        (answered("0", "both_orders"), a_cell("NameError", "name 'mine' is not defined")),
    )
    cause = "an earlier cell fails `samples, other = load()`: FileNotFoundError: no data"
    assert states["extra_bits"] == f"not judged: {cause}"
    assert states["both_orders"] == "wrong: NameError: name 'mine' is not defined"
    assert progress.report({progress.Path(f"{NAME}.ipynb"): states}) == 1


@pytest.mark.parametrize("suffix", ["-Copy1", " (2)", "_mine"])
def test_of_copies_the_best_state_of_each_exercise_counts(suffix, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(progress.course, "NOTEBOOKS", tmp_path)
    (tmp_path / f"{NAME}.ipynb").touch()
    table = {
        f"{NAME}{suffix}.ipynb": {
            "extra_bits": "wrong: a",
            "both_orders": "not yet",
            "kl_of_samples": "not judged: c",
        },
        f"{NAME}.ipynb": {
            "extra_bits": "right",
            "both_orders": progress.MISSING,
            "kl_of_samples": "wrong: b",
        },
    }
    assert progress.report({progress.Path(name): states for name, states in table.items()}) == 0
    *rows, _, last = capsys.readouterr().out.strip().splitlines()
    assert [row.split(maxsplit=2 - bool(i))[-1] for i, row in enumerate(rows[1:])] == [
        "right",
        "not yet",
        "wrong: b",
    ]
    assert rows[1].startswith(f"{NAME}  extra_bits")
    assert last == "1 of 3 exercises are right, as the files are saved"


def test_a_copy_has_the_exercises_of_its_lecture(judged, monkeypatch):
    monkeypatch.setattr(progress.course, "NOTEBOOKS", ROOT / "notebooks")
    states = judged((FIRST_CELL, []), ("'no answers'", []), name=f"{NAME}-Copy1")
    assert states == dict.fromkeys(TOPICS["kl_divergence"], progress.MISSING)


def test_another_folder_can_be_looked_at(course, tmp_path):
    assert "there is no folder nowhere" in refusal(course, "--folder", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no exercises" in refusal(course, "--folder", str(tmp_path / "empty"))
    make_exercises.main(course / "notebooks")
    mine = tmp_path / "my notebooks"
    shutil.copytree(course / "notebooks", mine)
    shutil.rmtree(course / "notebooks" / "exercises")
    for folder in (mine, mine / "exercises"):
        states, last, _ = report(course, "--folder", str(folder), "--notebooks", "1")
        assert (len(states), last) == (3, "0 of 3 exercises are right, as the files are saved")
