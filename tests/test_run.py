"""`make run` and `make notebooks`, in copies of the course: the sources here are not touched."""

import os
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64decode
from contextlib import suppress
from io import BytesIO

import nbformat
import psutil
import pytest
from conftest import ROOT
from PIL import Image

from tools import course as the_course
from tools import run_course
from tools.kernels import Run
from tools.parameters import give_parameters

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
FIRST, BROKEN, LAST = "01_first", "02_broken", "03_last"


def write_notebook(path, parameters, *sources):
    """Write a small lecture: a title, the parameters cell, and a cell for each further source."""
    cells = [
        nbformat.v4.new_markdown_cell(f"# {path.stem}", id="title"),
        nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)),
    ]
    metadata = {"kernelspec": KERNEL, "course": {"question": "Why?", "minutes": 1}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


@pytest.fixture
def course(tmp_path):
    """A course of its own: the real tools, no lectures yet."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("tools", "website"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "CITATION.cff", tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def command(*arguments):
    return [sys.executable, "-m", "tools.run_course", *arguments]


def run(course, *arguments):
    """Run the command in `course`, without its progress bar, and return the finished process."""
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    return subprocess.run(
        command(*arguments),
        cwd=course,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def sources(course):
    return {path: path.read_bytes() for path in (course / "notebooks").rglob("*") if path.is_file()}


def results(course):
    return sorted(path.name for path in (course / "build" / "notebooks").glob("*"))


def row(output, name):
    """Return the fields of the table's line about `name`."""
    return next(line.split() for line in output.splitlines() if line.startswith(name))


def printed(path):
    """Return all that the notebook's cells printed."""
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def tables(path):
    """The tables and numbers of a notebook, as HTML."""
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    shown = [output.get("data", {}).get("text/html", "") for c in cells for output in c.outputs]
    return [html for html in shown if "<iframe" not in html]


def test_lecture_01_with_another_seed(course):
    name = "01_kl_divergence"
    shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", course / "notebooks")
    before = sources(course)
    done = run(course, "--notebooks", "1", "--parameters", "seed=3")
    assert (done.returncode, done.stderr) == (0, "")
    assert sources(course) == before

    result = course / "build" / "notebooks" / f"{name}.ipynb"
    injected = [
        cell.source
        for cell in nbformat.read(result, 4).cells
        if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    assert [source.splitlines()[1:] for source in injected] == [["seed = 3"]]
    assert tables(result) != tables(course / "notebooks" / f"{name}.ipynb")

    _, _, megabytes, claims = row(done.stdout, name)
    assert 20 < float(megabytes) < 400
    assert int(claims) == printed(result).count("✓ ")
    index = course / "build" / "index.html"
    assert done.stdout.splitlines()[-2:] == [f"results: {result.parent}", f"open {index}"]
    assert index.is_file()


def test_a_cell_that_fails(course):
    notebooks = course / "notebooks"
    confirm = "print('✓ it holds')"
    write_notebook(notebooks / f"{FIRST}.ipynb", "seed = 0", confirm)
    failing = "if seed:\n    raise ValueError('first\\nsecond')"
    write_notebook(notebooks / f"{BROKEN}.ipynb", "seed = 0", confirm, failing, confirm)
    write_notebook(notebooks / "03_dead.ipynb", "n = 0", "import os\nos._exit(1)")
    write_notebook(notebooks / "04_last.ipynb", "n = 0", confirm, confirm)
    done = run(course, "--parameters", "seed=-3")
    assert done.returncode == 1
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    at = lines.index(f"{BROKEN}  cell 3, line 2: raise ValueError('first\\nsecond')")
    assert lines[at + 1].strip() == "ValueError: first"
    at = lines.index("03_dead    cell 2: import os")
    assert lines[at + 1].strip() == "DeadKernelError: Kernel died"
    assert row(done.stdout, FIRST)[-1] == "1"
    assert row(done.stdout, "04_last")[-1] == "2"
    assert results(course) == [f"{FIRST}.ipynb", "04_last.ipynb"]
    pages = sorted(path.stem for path in (course / "build" / "pages").glob("*.html"))
    assert pages == [FIRST, "04_last"]


REFUSALS = {
    "unknown lecture": (["--notebooks", "01 77"], ["77", FIRST, LAST]),
    "unknown parameter": (["--parameters", "sede=3"], ["sede", "rate", "seed"]),
    "parameter of another lecture": (
        ["--notebooks", "3", "--parameters", "rate=1"],
        ["rate", "seed"],
    ),
    "no value": (["--parameters", "seed"], ['"seed"', "name=value"]),
    "empty value": (["--parameters", "seed="], ['"seed="', "name=value"]),
    "no name": (["--parameters", "=3"], ['"=3"', "name=value"]),
    "twice": (["--parameters", "seed=1 seed=2"], ["seed", "twice"]),
    "float for int": (["--parameters", "seed=3.5"], ["seed=3.5", "int", "seed = 0"]),
    "bool for int": (["--parameters", "seed=True"], ["seed=True", "int"]),
    "word for int": (["--parameters", "seed=three"], ["seed=three", "int"]),
    "int for bool": (["--parameters", "quick=1"], ["quick=1", "bool", "False"]),
    "bool for float": (["--parameters", "rate=True"], ["rate=True", "float"]),
    "no Python": (["--parameters", "seed=(("], ["seed=((", "int"]),
    "in place with parameters": (["--in-place", "--parameters", "seed=1"], ["--parameters"]),
    "in place, unknown lecture": (["--in-place", "--notebooks", "77"], ["77", FIRST]),
    "unknown option": (["--sead"], ["--sead"]),
}


@pytest.fixture
def small_course(tmp_path, monkeypatch):
    """Two lectures and an old build/, for `main` in this process."""
    notebooks = tmp_path / "notebooks"
    parameters = "seed = 0  # of all\nrate = 0.5\nquick = False\nname = 'a'"
    write_notebook(notebooks / f"{FIRST}.ipynb", parameters)
    write_notebook(notebooks / f"{LAST}.ipynb", "seed = 0")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "old").touch()
    monkeypatch.setattr(the_course, "NOTEBOOKS", notebooks)
    monkeypatch.setattr(the_course, "BUILD", tmp_path / "build")
    return tmp_path


@pytest.fixture
def nothing_starts(monkeypatch):
    def execute_all(runs):
        raise AssertionError("a refused run was started")

    monkeypatch.setattr(run_course, "execute_all", execute_all)


def assert_refused(course, capsys, arguments, words):
    before = sources(course)
    assert run_course.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("refused: ")
    assert err.count("\n") == 1
    assert [word for word in words if word not in err] == []
    assert sources(course) == before
    assert (course / "build" / "old").exists(), (
        "the old results went before the new run could start"
    )


@pytest.mark.parametrize(("arguments", "words"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.usefixtures("nothing_starts")
def test_refused_in_one_line(small_course, capsys, arguments, words):
    assert_refused(small_course, capsys, arguments, words)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}'])
@pytest.mark.usefixtures("nothing_starts")
def test_a_file_that_is_no_notebook_is_refused(small_course, capsys, text):
    (small_course / "notebooks" / "04_torn.ipynb").write_text(text)
    assert_refused(small_course, capsys, [], ["04_torn.ipynb", "not a notebook"])


@pytest.mark.usefixtures("nothing_starts")
def test_a_course_without_lectures_is_refused(small_course, capsys):
    for path in (small_course / "notebooks").iterdir():
        path.unlink()
    assert_refused(small_course, capsys, [], ["no lectures"])


def test_refused_at_the_command_line(course):
    write_notebook(course / "notebooks" / f"{FIRST}.ipynb", "seed = 0")
    done = run(course, "--notebooks", "first")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f'refused: there is no lecture "first"; there are: {FIRST}\n'
    assert not (course / "build").exists()


def test_two_runs_do_not_mix(small_course, monkeypatch):
    def execute_all(runs):
        for one in runs:
            shutil.copy(one.source, one.target)
            one.error = "stop before the pages"

    monkeypatch.setattr(run_course, "execute_all", execute_all)
    run_course.main([])
    assert results(small_course) == [f"{FIRST}.ipynb", f"{LAST}.ipynb"]
    run_course.main(["--notebooks", "3"])
    assert results(small_course) == [f"{LAST}.ipynb"]
    assert [path.name for path in (small_course / "build").iterdir()] == ["notebooks"]


def test_values_arrive_as_what_the_default_is(small_course):
    runs = [Run(p, p, the_course.read(p)) for p in the_course.choose("")]
    give_parameters(runs, "seed=-1_000 rate=2 quick=True name=3")
    first, last = ({} for _ in runs)
    for given, one in zip((first, last), runs, strict=True):
        exec(one.notebook.cells[2].source, given)
        given.pop("__builtins__")
    assert first == {"seed": -1000, "rate": 2.0, "quick": True, "name": "3"}
    assert isinstance(first["rate"], float)
    assert last == {"seed": -1000}, "a lecture is given only the parameters that it has"


def has_started_kernels(course, process):
    return psutil.Process(process.pid).children()


def sleeps_in_a_cell(course, process):
    return (course / "notebooks" / "sleeping").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send these signals")
@pytest.mark.parametrize(
    ("moment", "signal_name"),
    [(has_started_kernels, "SIGTERM"), (sleeps_in_a_cell, "SIGINT")],
)
def test_an_interrupted_run_leaves_nothing_behind(course, moment, signal_name):
    sleep = (
        "import pathlib, subprocess, time\n"
        "pathlib.Path('sleeping').touch()\n"
        "for _ in range(100):  # one of them is just being started when the signal comes\n"
        "    subprocess.Popen(['sleep', '300'])\n"
        "time.sleep(300)"
    )
    for number in range(1, 7):  # more than run at once: the rest must not start
        write_notebook(course / "notebooks" / f"{number:02d}_sleepy.ipynb", "seed = 0", sleep)
    children = []
    with subprocess.Popen(
        command(),
        cwd=course,
        env={**os.environ, "TQDM_DISABLE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not moment(course, process):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            children = psutil.Process(process.pid).children(recursive=True)
            assert children
            process.send_signal(getattr(signal, signal_name))
            out, err = process.communicate(timeout=60)  # ends when no process holds its output
            _, alive = psutil.wait_procs(children, timeout=5)
        finally:
            for started in (process, *children):
                with suppress(psutil.NoSuchProcess):
                    started.kill()
    stopped = "stopped: no kernel is left, what was not finished is not stored\n"
    assert (process.returncode, out, err) == (130, "", stopped)
    assert alive == []
    assert results(course) == []


def test_in_place_twice_gives_the_same_bytes(course):
    figure = (
        "import matplotlib.pyplot as plt\n"
        "from lecture_utils.plotting import show\n"
        "fig, ax = plt.subplots(figsize=(2, 2))\n"
        "ax.plot([0, seed + 1])\n"
        "show(fig, 'A rising line.')"
    )
    names = "print({'a', 'b', 'c', 'd', 'e'})"  # its order depends on the hash seed
    lecture = course / "notebooks" / f"{FIRST}.ipynb"
    solution = course / "notebooks" / "solutions" / "01_exercise.ipynb"
    broken = course / "notebooks" / f"{BROKEN}.ipynb"
    other = course / "notebooks" / f"{LAST}.ipynb"
    write_notebook(lecture, "seed = 0", figure, names, "print('one', flush=True)\nprint('two')")
    write_notebook(solution, "seed = 0", "print('✓ solved')")
    write_notebook(broken, "seed = 0", "print('new')", "1 / 0")
    write_notebook(other, "seed = 0", "print('not chosen')")
    before = sources(course)

    first = run(course, "--in-place", "--notebooks", "01 02")
    after = sources(course)
    assert first.returncode == 1
    assert row(first.stdout, "solutions/01_exercise")[-1] == "1"
    assert "ZeroDivisionError: division by zero" in first.stdout
    assert {path for path in after if after[path] != before[path]} == {lecture, solution}
    assert not (course / "build").exists()

    notebook = nbformat.read(lecture, 4)
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2, 3, 4]
    picture = notebook.cells[2].outputs[0].metadata["image/png"]
    assert picture["alt"] == "A rising line."
    pixels = Image.open(BytesIO(b64decode(notebook.cells[2].outputs[0].data["image/png"]))).width
    assert pixels // 2 == picture["width"], "sharp on a projector: twice as many pixels"
    assert notebook.cells[4].outputs[0].text == "one\ntwo\n"
    assert [cell.id for cell in notebook.cells] == [
        "title",
        "parameters",
        "cell-0",
        "cell-1",
        "cell-2",
    ]
    assert all(cell.metadata.keys() <= {"tags"} for cell in notebook.cells)
    assert notebook.metadata == {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "course": {"question": "Why?", "minutes": 1},
    }
    assert after[lecture].endswith(b"}\n")
    assert not after[lecture].endswith(b"\n\n")

    assert run(course, "--in-place", "--notebooks", "1").returncode == 0
    assert sources(course) == after
