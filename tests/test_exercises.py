"""Right answers pass, wrong ones are told what is wrong, student copies give nothing away.

Everything runs over all notebooks in notebooks/solutions and all exercises of the registry.
"""

import contextlib
import importlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lecture_utils.divergences import kl_divergence_bernoulli
from lecture_utils.exercises import check, feedback, hint, judge
from lecture_utils.exercises.exercise import NotYet, Verdict, Wrong
from lecture_utils.exercises.registry import NAMES, TOPICS, find
from tools import make_exercises

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
SEEDS = range(20)
CHECK = re.compile(r'^check\("(\w+)"', re.MULTILINE)

solutions = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
# What is built is judged by what it does, in tests/test_building.py.
EXACT = [name for name in NAMES if not hasattr(find(name), "trial")]
exercises = pytest.mark.parametrize("name", EXACT)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run_in_kernel(notebook, directory):
    """Execute all cells, whatever fails; returns [(cell, its error output or None)]."""
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        allow_errors=True,
        resources={"metadata": {"path": str(directory)}},
    ).execute()
    return [
        (cell, next((out for out in cell.outputs if out.output_type == "error"), None))
        for cell in code_cells(notebook)
    ]


# The registry ---------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS)
def test_the_registry_lists_what_a_topic_holds(topic):
    module = importlib.import_module(f"lecture_utils.exercises.{topic}")
    assert tuple(exercise.name for exercise in module.EXERCISES) == TOPICS[topic]


def test_each_exercise_stands_in_one_notebook_and_each_notebook_has_two():
    names = {
        path.name: CHECK.findall("\n".join(cell.source for cell in code_cells(read(path))))
        for path in SOLUTIONS
    }
    assert sorted(name for found in names.values() for name in found) == sorted(NAMES)
    assert [path for path, found in names.items() if len(found) < 2] == []


def test_importing_check_imports_no_topic_and_no_torch():
    program = (
        "import sys; import lecture_utils.exercises; "
        f"print([m for m in sys.modules if m == 'torch' or m.split('.')[-1] in {list(TOPICS)}])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


# Right and wrong answers ----------------------------------------------------------------------


@exercises
def test_a_second_right_answer_passes(name):
    exercise = find(name)
    for seed in SEEDS[:3]:  # each check draws ten times
        judge.judge(exercise, exercise.oracle, np.random.default_rng(seed))
        judge.judge(exercise, exercise.second_answer, np.random.default_rng(seed))


@exercises
def test_each_known_mistake_is_told_by_its_own_message(name):
    exercise = find(name)
    assert len(exercise.mistakes) >= 4
    for mutant, message in exercise.mistakes:
        for seed in SEEDS:
            with pytest.raises(Wrong) as caught:
                judge.judge(exercise, mutant, np.random.default_rng(seed))
            assert str(caught.value) == f"✗ {name}: {message}"


@exercises
def test_an_answer_that_is_nearly_right_does_not_pass(name):
    exercise = find(name)

    def nearly(*arguments):
        parts = judge.as_parts(exercise.oracle(*arguments))
        wrong = tuple(
            part * (1 + 10 * exercise.tolerance) + 10 * exercise.tolerance for part in parts
        )
        return wrong if len(wrong) > 1 else wrong[0]

    for seed in SEEDS:
        with pytest.raises(Wrong):
            judge.judge(exercise, nearly, np.random.default_rng(seed))


@exercises
def test_an_answer_that_is_right_in_the_fixed_cases_only_does_not_pass(name):
    exercise = find(name)
    learned = exercise.cases(np.random.default_rng(1))

    def by_heart(*arguments):
        for case in learned:
            if all(
                callable(a) or np.array_equal(a, b) for a, b in zip(case, arguments, strict=True)
            ):
                return exercise.oracle(*case)
        return exercise.oracle(*learned[0])

    with pytest.raises(Wrong):
        judge.judge(exercise, by_heart, np.random.default_rng(2))


# What a student reads -------------------------------------------------------------------------


def stub(counts, lengths):
    raise NotImplementedError("your code here")


def unfinished(counts, lengths):
    p = counts / counts.sum()
    p @ lengths


def nan(counts, lengths):
    return float("nan")


def vector(counts, lengths):
    return lengths * 2


def text(counts, lengths):
    return "0.25"


def raising(counts, lengths):
    p = counts / counts.sum()
    return p @ undefined_lengths  # noqa: F821


def one_argument(counts):
    return 0.25


def dictionary(counts, lengths):
    return {"bits": 0.25}


def ragged(counts, lengths):
    return [counts, 0.25]


def complex_number(counts, lengths):
    return 0.25 + 1e-20j


def leaving(counts, lengths):
    sys.exit()


def endless(counts, lengths):
    while True:
        pass


def stubborn(counts, lengths):
    end = time.monotonic() + 2
    while time.monotonic() < end:
        with contextlib.suppress(BaseException):  # as a bare `except: pass`
            time.sleep(0.01)


MESSAGES = [
    (unfinished, r"it returned None: is a `return` missing\? \(counts = \[1, 1, 2\], lengths = "),
    (nan, r"your answer is NaN: look for 0/0, 0 · log 0, .* \(counts = "),
    (vector, r"your answer has shape \(3,\); the exercise asks for a single number \(counts = "),
    (text, r"it returned a str where a number or an array is asked for"),
    (raising, r"line \d+ of test_exercises.py, `return p @ undef.*`, raised NameError: name 'unde"),
    (one_argument, r"TypeError: .*; the answer is called with 2 arguments: counts, lengths \(c"),
    (dictionary, r"it returned a dict where a number"),
    (ragged, r"it returned a list whose entries have different shapes"),
    (complex_number, r"it returned a complex number where a real one"),
    (leaving, r"raised SystemExit"),
    (endless, r"no answer to one single case after 0.3 seconds, .*: does a loop never end\?"),
    (lambda counts, lengths: 1.0, r"your answer is 1\., right is 0\.25 \(counts = \[1, 1, 2\]"),
    (0.25, r'hand over the function itself, check\("extra_bits", extra_bits\)'),
]


@pytest.mark.parametrize(("answer", "message"), MESSAGES, ids=lambda a: getattr(a, "__name__", ""))
def test_a_wrong_answer_gets_one_helpful_line(answer, message, monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.3)
    feedback._wrong_attempts.clear()
    with pytest.raises(Wrong) as caught:
        check("extra_bits", answer)
    [line] = caught.value._render_traceback_()
    assert re.match(r"✗ extra_bits: .*" + message, line)
    assert "\n" not in line


def library_without_the_shift(codes, rho, book_lambda):
    return kl_divergence_bernoulli(rho, codes.mean(axis=0)).sum() * book_lambda / len(codes)


def formula_without_the_shift(codes, rho, book_lambda):  # and with the book's weight
    on = codes.mean(axis=0)
    kl = rho * np.log(rho / on) + (1 - rho) * np.log((1 - rho) / (1 - on))
    return kl.sum() * book_lambda


@pytest.mark.parametrize("answer", [library_without_the_shift, formula_without_the_shift])
def test_a_mean_of_tanh_that_is_taken_for_a_probability_is_named(answer):
    with pytest.raises(Wrong, match="a tanh unit goes from -1"):
        check("penalty_to_add", answer)


def test_a_right_answer_on_a_busy_machine_passes(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.3)
    answered = []

    def delayed(counts, lengths):
        if not answered:
            time.sleep(0.5)  # as if other users had the processor
        answered.append(True)
        return find("extra_bits").oracle(counts, lengths)

    check("extra_bits", delayed)


def test_an_import_in_an_answer_is_not_cut_short(monkeypatch, tmp_path):
    monkeypatch.setattr(judge, "SECONDS", 0.2)
    (tmp_path / "slow_to_import.py").write_text("import time\n\ntime.sleep(1.5)\n")
    monkeypatch.syspath_prepend(tmp_path)

    def importing(counts, lengths):
        import slow_to_import  # noqa: F401

        return find("extra_bits").oracle(counts, lengths)

    check("extra_bits", importing)


def test_changing_the_arguments_in_one_case_does_not_spoil_the_next():
    def in_place(scores, seen, new_scores, share):
        answer = find("alarm_threshold").oracle(scores, seen, new_scores, share)
        scores[:] = new_scores[:] = 0
        return answer

    check("alarm_threshold", in_place)


def test_the_stub_is_told_from_a_wrong_answer():
    with pytest.raises(NotYet, match=r"^✗ extra_bits: not yet - write your answer"):
        check("extra_bits", stub)


def test_an_answer_with_too_few_values_is_told_how_many():
    with pytest.raises(Wrong, match="it returned one value, 3 are asked for"):
        check("both_orders", lambda log_p, log_q, x_p, x_q: 0.5)
    with pytest.raises(Wrong, match="it returned 2 values, 3 are asked for"):
        check("both_orders", lambda log_p, log_q, x_p, x_q: (0.5, 0.5))


def test_an_unknown_name_is_told():
    for call in (lambda: check("extra_bit", stub), lambda: hint("extra_bit")):
        with pytest.raises(Wrong, match=r"^✗ there is no exercise 'extra_bit'"):
            call()


def noisy(answer):
    def function(*arguments):
        for i in range(1_000):
            print(f"step {i} " + "x" * 200)
        return answer(*arguments)

    return function


def test_what_a_student_prints_does_not_drown_the_verdict(capsys):
    check("extra_bits", noisy(find("extra_bits").oracle))
    with pytest.raises(Wrong) as caught:
        check("extra_bits", noisy(nan))
    verdict, discovery, *printed = capsys.readouterr().out.splitlines()
    assert discovery == f"  To discover: {find('extra_bits').discovery}"
    for lines in ([verdict, *printed], caught.value._render_traceback_()):
        assert "extra_bits" in lines[0]
        assert lines[1].startswith("  printed: step 0")
        assert len(lines) == 5
        assert max(map(len, lines[1:])) < 100


def test_an_answer_may_change_its_arguments_and_return_tensors_or_lists(capsys):
    torch = pytest.importorskip("torch")

    def in_place(x_p, x_q):
        right = find("kl_of_samples").oracle(x_p, x_q)
        x_p[:], x_q[:] = 0, 0
        return torch.tensor(right, dtype=torch.float64, requires_grad=True)

    check("kl_of_samples", in_place)
    check("both_orders", lambda *case: [torch.tensor(v) for v in find("both_orders").oracle(*case)])
    verdicts = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✓")]
    assert verdicts == ["✓ kl_of_samples: correct", "✓ both_orders: correct"]


@pytest.mark.parametrize("name", NAMES)
def test_hints_open_one_by_one(name, capsys):
    feedback._hints_opened.clear()
    hints = find(name).hints
    for _ in range(len(hints) + 1):
        hint(name)
    opened = [f"Hint {i} of {len(hints)}: {text}" for i, text in enumerate(hints, 1)]
    assert capsys.readouterr().out.splitlines() == [*opened, opened[-1]]


def test_the_third_wrong_attempt_mentions_the_hints():
    feedback._wrong_attempts.clear()
    told = []
    for _ in range(3):
        with pytest.raises(Verdict):
            check("extra_bits", stub)  # a stub is no attempt
        with pytest.raises(Wrong) as caught:
            check("extra_bits", nan)
        told.append('hint("extra_bits")' in str(caught.value))
    assert told == [False, False, True]
    check("extra_bits", find("extra_bits").oracle)
    assert feedback._wrong_attempts["extra_bits"] == 0


def test_in_a_kernel_a_failing_cell_shows_one_line(tmp_path):
    define = "def extra_bits(counts, lengths):\n    {}\n\n\ncheck('extra_bits', extra_bits)"
    right = "p = counts / counts.sum(); return sum(p[p > 0] * (lengths + np.log2(p))[p > 0])"
    bodies = [right, "return counts +", "while True: print('again')", "return counts / none"]
    cells = ["import numpy as np\nfrom lecture_utils.exercises import check"]
    cells += [define.format(body) for body in bodies]
    ran = run_in_kernel(new_notebook(cells=list(map(new_code_cell, cells))), tmp_path)
    assert ran[1][0].outputs[0].text.startswith("✓ extra_bits: correct\n")
    shown = [error and (error.ename, error.traceback[0]) for _, error in ran[2:]]
    assert shown[0][0] == "SyntaxError"
    assert ran[2][0].outputs[0].output_type == "error"  # nothing stale was graded
    assert shown[1][0] == "Wrong"
    assert re.search("no answer to one single case after 10 seconds.* never end", shown[1][1])
    assert len(ran[3][1].traceback) == 5
    assert shown[2][1].startswith(
        "✗ extra_bits: line 2 of the cell, `return counts / none`, raised"
    )
    assert len(ran[4][1].traceback) == 1


# The notebooks --------------------------------------------------------------------------------


@solutions
def test_solutions_pass(path, capsys):
    names = {}
    for cell in code_cells(read(path)):
        exec(compile(cell.source, cell.id, "exec"), names)
        for name in CHECK.findall(cell.source):
            assert f"✓ {name}: correct" in capsys.readouterr().out


@solutions
def test_a_student_copy_fails_at_the_exercises_and_nowhere_else(path):
    notebook = read(NOTEBOOKS / "exercises" / path.name)
    for cell, error in run_in_kernel(notebook, NOTEBOOKS / "exercises"):
        if name := CHECK.search(cell.source):
            assert error.ename == "NotYet"
            assert error.traceback[0].startswith(f"✗ {name[1]}: not yet")
            assert len(error.traceback) == 1
        else:
            assert error is None


@solutions
def test_no_line_of_a_solution_is_in_a_student_copy(path):
    copy = "\n".join(cell.source for cell in read(NOTEBOOKS / "exercises" / path.name).cells)
    assert "SOLUTION" not in copy.upper()
    lines = [
        line.strip()
        for cell in code_cells(read(path))
        for region in re.findall("# BEGIN SOLUTION(.*?)# END SOLUTION", cell.source, re.DOTALL)
        for line in region.splitlines()
    ]
    assert lines
    assert [line for line in lines if len(line) >= 12 and line in copy] == []


def test_student_copies_are_what_the_solutions_give(tmp_path, capsys):
    shutil.copytree(NOTEBOOKS / "solutions", tmp_path / "solutions")
    assert make_exercises.main(tmp_path) == 0
    made = {path.name: path.read_bytes() for path in (tmp_path / "exercises").iterdir()}
    committed = {path.name: path.read_bytes() for path in (NOTEBOOKS / "exercises").glob("*.ipynb")}
    assert made == committed
    assert make_exercises.main(tmp_path) == 0
    assert capsys.readouterr().out.count(": unchanged\n") == len(SOLUTIONS)
    assert {path.name: path.read_bytes() for path in (tmp_path / "exercises").iterdir()} == made


def edit(notebook):
    notebook.cells[-1].source += "\nmy own note"


def add_cell(notebook):
    notebook.cells.append(new_markdown_cell("my own note"))


def run_one_cell(notebook):
    code_cells(notebook)[0].execution_count = 1


def forget_its_origin(notebook):
    del notebook.metadata["exercises"]


@pytest.mark.parametrize("change", [edit, add_cell, run_one_cell, forget_its_origin])
def test_a_student_copy_with_own_work_is_not_overwritten(change, tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    for name in ("a.ipynb", "b.ipynb"):
        shutil.copy(SOLUTIONS[0], tmp_path / "solutions" / name)
    assert make_exercises.main(tmp_path) == 0
    own, other = (tmp_path / "exercises" / name for name in ("a.ipynb", "b.ipynb"))
    notebook = read(own)
    change(notebook)
    nbformat.write(notebook, own)
    before = own.read_bytes()
    other.unlink()
    capsys.readouterr()
    assert make_exercises.main(tmp_path) == 1
    assert own.read_bytes() == before
    assert other.exists()
    assert re.fullmatch(
        r"error: a.ipynb was edited or run .* rename it .*\n", capsys.readouterr().err
    )
    assert sorted(path.name for path in own.parent.iterdir()) == ["a.ipynb", "b.ipynb"]


def test_an_untouched_student_copy_follows_its_solution(tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    source = tmp_path / "solutions" / "a.ipynb"
    shutil.copy(SOLUTIONS[0], source)
    make_exercises.main(tmp_path)
    notebook = read(source)
    add_cell(notebook)
    nbformat.write(notebook, source)
    copy = tmp_path / "exercises" / "a.ipynb"
    opened = json.loads(copy.read_text())  # as JupyterLab leaves it: opened and saved, not changed
    opened["metadata"]["language_info"]["version"] = "3.11.0"
    copy.write_text(json.dumps(opened))
    assert make_exercises.main(tmp_path) == 0
    assert read(copy).cells[-1].source == "my own note"


TITLE = new_markdown_cell("# Solutions")
ANSWER = """def extra_bits(counts, lengths):
    # BEGIN SOLUTION
    return the_answer(counts)
    # END SOLUTION


check("extra_bits", extra_bits)"""

FAULTS = {
    "1 BEGIN and 0 END SOLUTION": [TITLE, new_code_cell(ANSWER.replace("# END SOLUTION", ""))],
    "2 BEGIN and 1 END": [TITLE, new_code_cell(ANSWER.replace("return", "# BEGIN SOLUTION\n"))],
    "a solution stands in text": [TITLE, new_markdown_cell(ANSWER)],
    "must close with check": [TITLE, new_code_cell(ANSWER.replace("check(", "print("))],
    "no exercise 'unknown'": [TITLE, new_code_cell(ANSWER.replace('"extra_bits"', '"unknown"'))],
    "not defined in the same cell": [TITLE, new_code_cell(ANSWER.replace(", extra_", ", other_"))],
    "no answer above it": [TITLE, new_code_cell('check("extra_bits", print)')],
    "stands in it twice": [TITLE, new_code_cell(ANSWER), new_code_cell(ANSWER)],
    "shows the answer's line `return the_answer": [
        TITLE,
        new_code_cell(ANSWER),
        new_markdown_cell("Try `return  the_answer(counts)`."),
    ],
    "a title with the word": [new_markdown_cell("# Exercises"), new_code_cell(ANSWER)],
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_faulty_solution_is_refused_in_one_line(message, tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    nbformat.write(new_notebook(cells=FAULTS[message]), tmp_path / "solutions" / "a.ipynb")
    assert make_exercises.main(tmp_path) == 1
    error = capsys.readouterr().err
    assert re.fullmatch(r"error: a\.ipynb.*" + re.escape(message) + r".*\n", error)
    assert not (tmp_path / "exercises").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"cells": 3}', "not a notebook", "[]"])
def test_a_file_that_is_no_notebook_is_refused_in_one_line(content, tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "a.ipynb").write_text(content)
    assert make_exercises.main(tmp_path) == 1
    assert re.fullmatch("error: a.ipynb cannot be read as a notebook.*\n", capsys.readouterr().err)


def test_no_solutions_at_all_is_an_error(tmp_path, capsys):
    assert make_exercises.main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("error: there is no notebook in ")
