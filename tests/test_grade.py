"""`make grade`: a folder of submissions, the table, what is kept; and the channel below it."""

import csv
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook

from lecture_utils.exercises.registry import TOPICS
from tools import grade, isolation
from tools.channel import Broken, Exchange, Remote
from tools.course import Refused
from tools.isolation import best_isolation
from tools.kernels import kernel
from tools.submission import Submission

NAME = "01_kl_divergence"
EXERCISES = TOPICS["kl_divergence"]
SOLUTIONS = ROOT / "notebooks" / "solutions" / f"{NAME}.ipynb"
STUDENT_COPY = ROOT / "notebooks" / "exercises" / f"{NAME}.ipynb"


@pytest.fixture(scope="module")
def isolated():
    try:
        return best_isolation()
    except Refused as why:
        pytest.skip(f"no sandbox on this machine: {why}")


@pytest.fixture(scope="module")
def graded(isolated, tmp_path_factory):
    """A class in every layout, graded once: the folders, and the rows by student and exercise."""
    folder, output = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("output") / "out"
    for name in ("ann", "bob", "=2+3", "chris", "dora", "eve", "nobody", ".hidden"):
        (folder / name).mkdir()
    shutil.copy(SOLUTIONS, folder / "ann")
    shutil.copy(STUDENT_COPY, folder / "bob")
    shutil.copy(STUDENT_COPY, folder / "bob" / f"{NAME}-Copy1.ipynb")
    (folder / "=2+3" / NAME).mkdir()  # as nbgrader lays them
    shutil.copy(SOLUTIONS, folder / "=2+3" / NAME)
    (folder / "chris" / f"{NAME}.ipynb").write_text("{ torn")
    (folder / "dora" / f"{NAME}.ipynb").symlink_to(folder / "ann" / f"{NAME}.ipynb")
    (folder / "eve" / f"{NAME}.ipynb").mkdir()
    status = grade.main([str(folder), "--output", str(output)])
    return folder, output, status


def rows(output):
    with (output / "grades.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of(output, student):
    return [(row["points"], row["why"]) for row in rows(output) if row["student"] == student]


def test_every_student_has_a_row_an_exercise(graded):
    _, output, status = graded
    assert status == 0
    table = rows(output)
    assert list(table[0]) == list(grade.COLUMNS)
    students = ["'=2+3", "ann", "bob", "chris", "dora", "eve", "nobody"]
    assert [(row["student"], row["exercise"]) for row in table] == [
        (student, exercise) for student in students for exercise in EXERCISES
    ]
    assert {row["of"] for row in table} == {"1"}


def test_points_and_reasons(graded):
    _, output, _ = graded
    assert of(output, "ann") == of(output, "'=2+3") == [("1", "right")] * 3
    assert of(output, "bob") == [("0", "not yet")] * 3
    assert all(p == "0" and "torn or not a notebook" in why for p, why in of(output, "chris"))
    assert of(output, "dora") == [("0", "a link: not read")] * 3
    assert of(output, "eve") == [("0", "not a plain file: not read")] * 3
    assert of(output, "nobody") == [("0", "nothing was handed in")] * 3


def test_a_notebook_that_is_passed_over_is_named(isolated, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grade, "judge_apart", lambda *more: dict.fromkeys(EXERCISES, (1, "right")))
    folder = tmp_path / "class"
    names = [
        f"ann/{NAME}.ipynb",
        "ann/02_kl_is_never_negative.ipynb",  # not asked for
        "ann/notes.txt",
        "ann/.ipynb_checkpoints/kl.ipynb",
        "bob/kl.ipynb",
        "bob/42_kl.ipynb",
        f"chris/home/notebooks/exercises/{NAME}.ipynb",
        "kl.ipynb",
    ]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOLUTIONS, folder / name)
    (folder / "dora").symlink_to(folder / "ann")
    call = [str(folder), "--notebooks", "01", "--output", str(tmp_path / "out")]
    assert grade.main(call) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if "not read" in line] == [
        "not read: dora: a link to a folder",
        "not read: kl.ipynb: it lies in no student's folder",
        "not read: bob/42_kl.ipynb: there is no lecture 42 with exercises",
        "not read: bob/kl.ipynb: its name does not begin with the number of a lecture, "
        "as 01_name.ipynb does",
        f"not read: chris/home/notebooks/exercises/{NAME}.ipynb: it lies too deep: "
        "put it into chris/",
    ]


def test_of_two_notebooks_one_that_was_not_graded_is_no_zero_in_silence():
    one, other = (grade.Handed("ann", NAME, Path(name)) for name in "ab")
    wrong = dict.fromkeys(EXERCISES, (0, "wrong"))
    for results in ({one: wrong, other: grade.STOPPED}, {other: grade.STOPPED, one: wrong}):
        assert {row[-1] for row in grade.rows_of(["ann"], [NAME], results)} == {grade.STOPPED}


def test_what_is_graded_is_not_graded_twice(graded, monkeypatch, capsys):
    folder, output, _ = graded
    before = rows(output)

    def never(*arguments):
        raise AssertionError("graded twice")

    monkeypatch.setattr(grade, "judge_apart", never)
    assert grade.main([str(folder), "--output", str(output)]) == 0
    assert rows(output) == before
    assert "ann        3/3" in capsys.readouterr().out


def test_a_changed_submission_is_graded_again(graded, tmp_path, monkeypatch):
    folder, output, _ = graded
    mine = tmp_path / "class"
    shutil.copytree(folder, mine, symlinks=True)
    shutil.copytree(output, tmp_path / "out")
    shutil.copy(SOLUTIONS, mine / "bob" / f"{NAME}.ipynb")
    asked = []
    monkeypatch.setattr(
        grade,
        "judge_apart",
        lambda one, *more: asked.append(one.student) or dict.fromkeys(EXERCISES, (1, "right")),
    )
    assert grade.main([str(mine), "--output", str(tmp_path / "out")]) == 0
    assert set(asked) <= {"bob", "ann", "=2+3"}  # the same solutions, by whomever, were graded
    assert of(tmp_path / "out", "bob") == [("1", "right")] * 3


def test_a_judge_that_fails_is_no_zero_in_silence(graded, tmp_path, monkeypatch, capsys):
    folder, _, _ = graded
    monkeypatch.setattr(grade, "judge_apart", lambda *arguments: "not graded: the judge failed: x")
    assert grade.main([str(folder), "--output", str(tmp_path / "out")]) == 1
    assert "ann, 01_kl_divergence, extra_bits: not graded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{tmp}/none"], "there is no folder"),
        (["{tmp}"], "has no notebooks folder/student/"),
        ([""], 'make grade SUBMISSIONS="folder"'),
        ([str(SOLUTIONS.parent)], "holds notebooks, not students"),
        (["{tmp}", "--notebooks", "00"], "00 has no exercises"),
        (["{tmp}", "--notebooks", "77"], 'there is no lecture "77"'),
        (["{tmp}", "--isolation", "none"], "invalid choice"),
    ],
)
def test_what_cannot_be_graded_is_refused_in_one_line(arguments, said, tmp_path, capsys):
    arguments = [argument.format(tmp=tmp_path) for argument in arguments]
    assert grade.main([*arguments, "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("refused: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "out").exists()


def test_without_isolation_it_is_refused_unless_told_otherwise(tmp_path, monkeypatch, capsys):
    (tmp_path / "class" / "ann").mkdir(parents=True)
    shutil.copy(SOLUTIONS, tmp_path / "class" / "ann")
    monkeypatch.setattr(isolation, "NEEDED", ("no-such-command",))
    call = [str(tmp_path / "class"), "--output", str(tmp_path / "out")]
    assert grade.main(call) == 2
    assert "cannot isolate submissions" in capsys.readouterr().err
    assert grade.main([*call, "--isolation", "limits"]) == 0
    assert "warning: submissions run as you" in capsys.readouterr().err
    assert of(tmp_path / "out", "ann") == [("1", "right")] * 3


def test_an_interrupt_keeps_what_was_graded_and_leaves_no_process(isolated, tmp_path):
    for student in ("a", "b", "c", "d"):
        (tmp_path / "class" / student).mkdir(parents=True)
    shutil.copy(SOLUTIONS, tmp_path / "class" / "a")
    for student in "bcd":
        cells = [new_code_cell(f"from time import sleep; sleep(25)  # {n}") for n in range(8)]
        nbformat.write(
            new_notebook(cells=cells, metadata={"student": student}),
            tmp_path / "class" / student / f"{NAME}.ipynb",
        )
    (tmp_path / "tmp").mkdir()
    arguments = [str(tmp_path / "class"), "--output", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.grade", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TQDM_DISABLE": "1", "TMPDIR": str(tmp_path / "tmp")},
    )
    end = time.monotonic() + 60
    kept = tmp_path / "out" / "grades"
    while not list(kept.glob("*.json")) and time.monotonic() < end:
        time.sleep(0.1)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on from there" in error
    assert of(tmp_path / "out", "a") == [("1", "right")] * 3
    assert of(tmp_path / "out", "d") == [("0", grade.STOPPED)] * 3
    assert list((tmp_path / "tmp").iterdir()) == []
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


OTHER_TYPES = """
import numpy as np
from lecture_utils.exercises import check
from fractions import Fraction
from pathlib import Path
import torch

def same(value):
    return value

def fraction(): return Fraction(1, 4)
def tensor(x): return torch.tensor(x, requires_grad=True)
def generator(): return (n for n in range(3))
def calls(function, x): return function(x) + 1
def masked(): return np.ma.array([1.0, 2.0], mask=[False, True])
def steps(n):
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(int(n)):
        (weight.sum() ** 2).backward()
        optimizer.step()
    class Model:
        encoder = torch.nn.Linear(3, 2)
        decoder = staticmethod(lambda z: z * 2)
    return Model()
for function in (same, fraction, tensor, generator, calls, masked, steps):
    check(function.__name__, function)
"""


@pytest.fixture(scope="module")
def inside(isolated):
    with Submission([OTHER_TYPES], isolated) as submission:
        submission.ready()
        assert submission.errors == {}
        yield {name: function for _, name, function in submission.checked}


@pytest.mark.parametrize(
    "value",
    [
        3,
        0.1,
        True,
        None,
        float("inf"),
        10**18,
        np.float64(0.1),
        np.arange(6).reshape(2, 3),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.zeros((0, 3)),
        np.arange(6.0).reshape(2, 3).T,
        (1, [2.5, np.ones(2)]),
        "text",
    ],
)
def test_values_come_back_as_they_went(inside, value):
    back = inside["same"](value)
    if isinstance(value, tuple):
        assert back[0] == 1
        assert back[1][0] == 2.5
        value, back = value[1][1], back[1][1]
    assert type(back) is type(value)
    np.testing.assert_array_equal(back, value)
    if isinstance(value, np.ndarray):
        assert (back.dtype, back.shape) == (value.dtype, value.shape)


def test_other_numbers_come_back_too(inside):
    assert inside["fraction"]() == float(Fraction(1, 4))
    assert inside["generator"]() == [0, 1, 2]
    assert inside["tensor"]([1.0, 2.0]).tolist() == [1, 2]
    assert np.isnan(inside["masked"]()[1])


def test_a_function_is_called_where_it_is(inside):
    here = []
    assert inside["calls"](lambda x: here.append(x) or x * 2, 20.0) == 41
    assert here == [20.0]


def test_the_judge_calls_no_function_in_place_of_a_number(inside):
    with pytest.raises(Exception, match="function where numbers"):
        inside["calls"](lambda x: x, lambda: 1)


def test_what_optimizers_do_is_counted_where_they_do_it(inside):
    model = inside["steps"](7)
    assert inside["steps"].updates == 7
    assert isinstance(model.encoder, Remote)
    assert model.encoder.is_network
    assert model.decoder(np.ones(2)).tolist() == [2, 2]
    assert not hasattr(model, "encode")


def sent(content):
    """A pipe that holds a message with this content."""
    source, target = os.pipe()

    def write():
        view = memoryview(struct.pack("<I", len(content)) + content)
        while view:
            view = view[os.write(target, view) :]

    threading.Thread(target=write, daemon=True).start()
    return source


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"value":[' + b"[]," * 2_000_000 + b"[]]}", "too large to be right"),
        (('{"value": "' + "\N{GRINNING FACE}" * 5 + '"}').encode(), "no answer"),
    ],
)
def test_what_would_take_much_memory_is_not_parsed(content, said, monkeypatch):
    monkeypatch.setattr("tools.channel.json.loads", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(Broken, match=said):
        Exchange(sent(content), 1).receive()


def test_a_message_that_takes_too_much_memory_is_an_answer_too_large(monkeypatch):
    def parse(text):
        raise MemoryError

    monkeypatch.setattr("tools.channel.json.loads", parse)
    with pytest.raises(Broken, match="too large to be right"):
        Exchange(sent(b"{}"), 1).receive()


def test_the_judge_s_memory_has_a_limit():
    program = "from tools import judging; judging.limit_memory(); bytearray(3 * 2**30)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert "MemoryError" in done.stderr


def test_nothing_is_unpickled():
    exchange = Exchange(0, 1)
    with pytest.raises(ValueError, match="no numbers"):
        exchange.decode({"array": ["|O", [1], ""]})


def test_the_export_to_nbgrader_holds_every_exercise_in_two_cells(tmp_path):
    from tools import to_nbgrader

    assert to_nbgrader.main(["--output", str(tmp_path / "out")]) == 0
    found = {}
    for path in sorted((tmp_path / "out" / "nbgrader" / "source").glob("*/*.ipynb")):
        assert path.parent.name == path.stem
        notebook = nbformat.read(path, 4)
        nbformat.validate(notebook)
        marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
        for answer, check in zip(marked[::2], marked[1::2], strict=True):
            name = answer.metadata.nbgrader.grade_id.removeprefix("answer-")
            assert "# BEGIN SOLUTION" in answer.source
            assert "# END SOLUTION" in answer.source
            assert "check(" not in answer.source
            assert check.source.endswith(f'answer = {name}\ncheck("{name}", answer)')
            assert check.metadata.nbgrader.points == 1
            found.setdefault(path.stem[3:], []).append(name)
    assert {topic: tuple(names) for topic, names in found.items()} == TOPICS


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The export of lecture 01 as two students hand it in: all right, and one answer wrong."""
    from tools import to_nbgrader

    folder = tmp_path_factory.mktemp("export")
    assert to_nbgrader.main(["--notebooks", "01", "--output", str(folder / "out")]) == 0
    source = folder / "out" / "nbgrader" / "source" / NAME / f"{NAME}.ipynb"
    for student in ("right", "wrong"):
        notebook = nbformat.read(source, 4)
        if student == "wrong":
            [cell] = [cell for cell in notebook.cells if "def extra_bits" in cell.source]
            cell.source += "\n\n\ndef extra_bits(counts, lengths):\n    return 1.0"
        target = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)
    return folder


def test_the_export_is_graded_as_it_is_answered(exported, isolated, tmp_path):
    assert grade.main([str(exported), "--output", str(tmp_path / "out")]) == 0
    assert of(tmp_path / "out", "right") == [("1", "right")] * 3
    points = {row["exercise"]: row["points"] for row in rows(tmp_path / "out")[-3:]}
    assert points == dict.fromkeys(EXERCISES, "1") | {"extra_bits": "0"}


@pytest.mark.parametrize(("student", "failed"), [("right", []), ("wrong", ["check-extra_bits"])])
def test_a_kernel_gives_the_export_its_points_as_nbgrader_does(exported, student, failed):
    """nbgrader runs the cells past errors; a test cell without one has its point."""
    notebook = nbformat.read(exported / "submitted" / student / NAME / f"{NAME}.ipynb", 4)
    with kernel(notebook, ROOT, allow_errors=True) as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    assert [
        cell.metadata.nbgrader.grade_id
        for cell in notebook.cells
        if cell.get("outputs") and any(out.output_type == "error" for out in cell.outputs)
    ] == failed


def test_another_run_leaves_the_grades_alone(tmp_path):
    from tools.course import claim, make_anew

    claim(tmp_path / "out")
    (tmp_path / "out" / "grades").mkdir()
    for name in ("grades/1.json", "grades.csv", "sweep.csv", "index.html"):
        (tmp_path / "out" / name).write_text("{}")
    make_anew(tmp_path / "out")
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {".made-by-the-course", "1.json", "grades.csv", "sweep.csv"}
