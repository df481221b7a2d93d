"""`make mutate`: which changes are made, and whether one that nothing notices is found."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.mutations import mutations


def lecture(*sources):
    """A notebook of check cells that print nothing yet."""
    cells = [new_code_cell(source, metadata={"tags": ["check"]}) for source in sources]
    return new_notebook(cells=cells)


def changes(*sources):
    return {change.source.splitlines()[change.line - 1] for change in mutations(lecture(*sources))}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("print(a + b)", {"print((a - b))"}),
        ("print(a * b)", {"print((a / b))"}),
        ("print(f(a, b))", {"print((f(b, a)))", "print(f(b, a))"}),
        ("print(a < b)", {"print((a > b))"}),
        ("print(a and b)", {"print((a or b))"}),
        ("print(10.0 * a)", {"print((10.0 / a))", "print((12.0) * a)"}),
        ("print(f(1))", {"print(f((2)))"}),
        ("print('ä', a + b)", {"print('ä', (a - b))", "print((a + b), 'ä')"}),
    ],
)
def test_single_changes(line, wrong):
    assert changes(line) & wrong


@pytest.mark.parametrize(
    "line",
    [
        "print(f(a, a))",
        "print(np.logaddexp(a, b))",
        "print(js_divergence(p, q))",
        "print(f'{a + b:.3f}')",
        "print(np.allclose(a, b, atol=1e-9))",
        "print(np.linspace(a, a, 41))",
        "for _ in range(50):\n    print(a)",
        "assert a and b",
        "unused = 2 * a",
        "import numpy",
    ],
)
def test_what_makes_nothing_wrong_is_left_alone(line):
    assert not changes(line)


def test_the_number_in_a_bound_is_left_alone_and_not_its_direction():
    assert changes("assert error < 5 * standard_error") == {"assert (error > 5 * standard_error)"}
    assert "assert a < (b + 1)" in changes("assert a < b - 1")
    assert changes("hits = error < 2 * its_error", "print(hits)") == {
        "hits = (error > 2 * its_error)",
        "hits = error < (2 / its_error)",  # a formula, not a check
    }


def test_what_asks_for_two_things_is_not_made_to_ask_for_one():
    assert not any(" or " in line for line in changes("confirm('both', a and b)"))
    assert any(" or " in line for line in changes("print(a and b)"))


def test_a_product_has_the_sign_of_the_quotient():
    assert changes("assert a * b < 0") == {"assert (a * b > 0)"}


def test_what_a_printed_number_is_made_from_is_changed():
    assert changes("def half(a):\n    return a / 2", "x = half(3)", "print(x)") >= {
        "    return (a * 2)",
        "x = half((4))",
    }


def test_a_change_keeps_the_rest_of_the_code():
    (change,) = mutations(lecture("# why\nprint(\n    a + b  # what\n)"))
    assert change.source == "# why\nprint(\n    (a - b)  # what\n)"
    assert str(change).endswith("line 3: a + b -> a - b")


@pytest.fixture
def course(tmp_path):
    """A course of its own with one small lecture, one check of which is blunt."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=ignored)
    notebook = lecture("n = 4", "print(n + 1)", "unseen = n - 9", "assert unseen")
    notebook.cells[1].outputs = [new_output("stream", name="stdout", text="5\n")]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "01_small.ipynb")
    return tmp_path


def run(course, *arguments):
    command = [sys.executable, "-m", "tools.mutate", *arguments]
    return subprocess.run(command, cwd=course, capture_output=True, text=True)


def test_a_change_that_nothing_notices_is_named(course):
    done = run(course, "--notebooks", "01")
    assert "not noticed: 01_small, cell" in done.stdout, done.stdout + done.stderr
    assert "n - 9 -> n + 9" in done.stdout
    assert "n + 1 -> n - 1" not in done.stdout  # it prints 3 in place of 5
    assert done.returncode == 1


def test_lectures_that_notice_everything_end_well(course):
    path = course / "notebooks" / "01_small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[2:]
    nbformat.write(notebook, path)
    done = run(course, "--notebooks", "01", "--changes", "3")
    assert done.stdout == "0 of 3 changes were not noticed\n", done.stdout + done.stderr
    assert done.returncode == 0


def test_a_number_that_is_none_is_refused(course):
    done = run(course, "--notebooks", "01", "--changes", "many")
    assert done.stderr == 'refused: "many" is not a number of changes: CHANGES=100\n'
    assert done.returncode == 2
