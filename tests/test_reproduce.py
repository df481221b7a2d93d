"""`make reproduce`, on small notebooks in a course of their own."""

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
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import reproduce

SAME, THREADS, BROKEN = "01_same", "02_threads", "03_broken"
PRINT_THREADS = "import os\nprint(os.environ['COURSE_THREADS'])"
NBVAL = ["--", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=60"]


def write(path, *cells):
    """Write a notebook with a cell for each pair of a source and what it once printed."""
    cells = [
        new_code_cell(
            source,
            execution_count=count,
            outputs=[new_output("stream", text=text)] if text else [],
        )
        for count, (source, text) in enumerate(cells, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)


@pytest.fixture
def course(tmp_path):
    """A course of its own: the real tools, three lectures, one with solutions."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    notebooks = tmp_path / "notebooks"
    write(notebooks / f"{SAME}.ipynb", ("n = 2", ""), ("print(2)", "2\n"))
    write(notebooks / f"{THREADS}.ipynb", ("print(2)", "2\n"), (PRINT_THREADS, "1\n"))
    fails_with_two = f"{PRINT_THREADS}\nassert os.environ['OMP_NUM_THREADS'] == '1'"
    write(notebooks / "solutions" / f"{THREADS}.ipynb", (fails_with_two, "1\n"))
    (notebooks / f"{BROKEN}.ipynb").write_text("[]")
    return tmp_path


def command(*arguments):
    return [sys.executable, "-m", "tools.reproduce", *arguments]


def run(course, *arguments, **environment):
    """Run the command, without its progress bar, and return the finished process."""
    return subprocess.run(
        command(*arguments, *NBVAL),
        cwd=course,
        env={**os.environ, "TQDM_DISABLE": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def rows(done):
    """Return the lines of the table as lists of words."""
    return [line.split() for line in done.stdout.strip().split("\n\n")[0].splitlines()]


def test_what_differs_is_counted_named_and_kept(course):
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    done = run(course, "--conditions", "threads-2")
    assert (done.returncode, done.stderr) == (1, "")
    assert rows(done) == [["condition", "01", "02", "03"], ["threads-2", "ok", "2", "✗"]]
    logs = course / "build" / "reproduce"
    first, broken, solutions, last = done.stdout.splitlines()[-4:]
    assert first == f"threads-2, {THREADS}: Cell 1"
    assert broken.startswith(f"threads-2, {BROKEN}: pytest compared no cell: ")
    assert solutions == f"threads-2, solutions/{THREADS}: Cell 0"
    assert last == f"the differences stand in {logs}"
    log = (logs / "threads-2.log").read_text(encoding="utf-8")
    assert log.startswith("COURSE_THREADS=2\n")
    assert f"=== {THREADS}, Cell 1\n" in log
    assert "AssertionError" in log
    assert {path: path.read_bytes() for path in course.rglob("*.ipynb")} == before


def test_what_does_not_differ_is_ok(course):
    log = course / "build" / "reproduce" / "threads-1.log"
    log.parent.mkdir(parents=True)
    log.write_text("of an earlier run")
    done = run(course, "--notebooks", "2 1", "--conditions", "threads-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert rows(done) == [["condition", "01", "02"], ["threads-1", "ok", "ok"]]
    assert not log.exists()


def test_packages_that_cannot_be_installed_are_told_in_one_line(course):
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    done = run(course, "--notebooks", "1", "--conditions", "oldest", **offline)
    assert (done.returncode, done.stderr) == (1, "")
    assert rows(done)[1:] == [["oldest", "✗"]]
    assert f"\noldest, {SAME}: pip cannot install numpy==2.0 " in done.stdout


def test_oldest_is_the_lower_bound_and_newest_the_range():
    oldest, newest = (reproduce.requirements(name) for name in ("oldest", "newest"))
    assert len(oldest) == len(newest) == len(reproduce.PACKAGES)
    assert all(re.fullmatch(r"[a-z-]+==\d+(\.\d+)+", text) for text in oldest)
    assert all(re.fullmatch(r"[a-z-]+>=\d+(\.\d+)+,<\d+", text) for text in newest)


@pytest.mark.parametrize("condition", reproduce.CONDITIONS)
def test_numpy_knows_the_names_of_a_condition(condition):
    environment = {**os.environ, **reproduce.CONDITIONS[condition]}
    command = [sys.executable, "-W", "error", "-c", "import numpy; numpy.ones((2, 2)) @ [1, 1]"]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--notebooks", "77"], '"77"'),
        (["--conditions", "threads-1 thread-2"], '"thread-2"; there are: threads-1, threads-2,'),
        (["--speed", "3"], "--speed"),
    ],
)
def test_what_is_not_there_is_refused(arguments, said, course):
    done = run(course, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"refused: .+\n", done.stderr)
    assert said in done.stderr
    assert not (course / "build").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to a process alone")
def test_interrupted_it_leaves_no_process(course):
    write(course / "notebooks" / f"{SAME}.ipynb", ("while True: pass", ""))
    process = subprocess.Popen(
        command("--notebooks", "1", "--conditions", "threads-1", *NBVAL),
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        children = []
        while len(children) < 2:  # pytest and its kernel
            assert process.poll() is None
            children = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert errors.endswith("stopped: no kernel is left\n")
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=10)[1]
