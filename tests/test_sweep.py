"""`make sweep`: the grid, what is collected, one machine, a cluster, lost workers, interrupts."""

import csv
import json
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

from tools import results
from tools.course import NOTEBOOKS, Refused, read
from tools.grid import settings, values_of
from tools.kernels import Run

CELLS = """
from time import sleep
from lecture_utils.claims import confirm
from lecture_utils.tables import table, values
values([("twice the seed", 2 * seed, "nats")], digits=1)
table(["", "size (nats)", "name"], [["first", seed + 0.5, "x"], ["second", -1e-7, "y"]])
confirm("the seed is small", seed < 2, f"seed {seed}")
sleep(wait)
confirm("always", True)
"""


@pytest.fixture
def course(tmp_path):
    """A course of its own with one small lecture."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=ignored)
    (tmp_path / "lecture_utils").mkdir()
    for name in ("__init__.py", "claims.py", "tables.py"):
        shutil.copy(ROOT / "lecture_utils" / name, tmp_path / "lecture_utils")
    cells = [new_code_cell("seed = 0\nwait = 0.0", metadata={"tags": ["parameters", "setup"]})]
    for line in CELLS.strip().splitlines():
        cells.append(new_code_cell(line))
    (tmp_path / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "01_small.ipynb")
    return tmp_path


def start(course, *arguments, **options):
    environment = {**os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": str(course)}
    return subprocess.Popen(
        [sys.executable, "-m", "tools.sweep", *arguments],
        cwd=course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def sweep(course, *arguments, status=0):
    process = start(course, *arguments)
    out, error = process.communicate(timeout=400)
    assert process.returncode == status, out + error
    return out, error


def lines(course):
    with (course / "build" / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seeds_run(course):
    return {line["seed"] for line in lines(course) if line["kind"] == "seconds"}


def test_values_of_a_grid():
    assert values_of("0:3") == ["0", "1", "2"]
    assert values_of("0:10:4,20") == ["0", "4", "8", "20"]
    assert values_of("tied,free") == ["tied", "free"]
    for wrong in ("", "3:3", "5:1", "1,1", "0:3,2", "0:5:0", "0:99999999"):
        with pytest.raises(Refused):
            values_of(wrong)


def test_a_lecture_gets_the_parameters_that_it_has():
    runs = [Run(path, path, read(path)) for path in sorted(NOTEBOOKS.glob("0[01]_*.ipynb"))]
    found = settings(runs, "seed=0:2 n_samples=10,20")
    assert sum(one.name.startswith("01") for one in found) == 4
    assert len(found) == len(set(found))
    assert ("n_samples", 20) in found[-1].values
    with pytest.raises(Refused, match='no chosen lecture has a parameter "sed"'):
        settings(runs, "sed=0:2")
    with pytest.raises(Refused, match="is no int"):
        settings(runs, "seed=a,b")
    with pytest.raises(Refused, match='"0:" is no range: write 0:10 for 0 to 9'):
        settings(runs, "seed=0:")


def test_numbers_of_every_lecture_are_read():
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = read(path)
        assert results.numbers_of(notebook), path.name
        assert results.failures_of(notebook) == []
        assert results.n_confirmed(notebook) > 0


def test_a_sweep_goes_past_failing_claims_and_collects_what_was_found(course):
    out, error = sweep(course, "--grid", "seed=0:3 wait=0.0,0.1", status=1)
    assert error == ""
    assert "01_small: fails in 2 of 6 (seed=2 wait=0.0; seed=2 wait=0.1)" in out
    assert "does not hold: the seed is small  (seed 2)" in out
    found = lines(course)
    last = [line for line in found if (line["seed"], line["wait"]) == ("2", "0.1")]
    kinds = {line["kind"]: line for line in last}
    assert kinds["confirmed"]["value"] == "1"  # the claim behind the one that failed
    assert kinds["failed"]["what"] == "does not hold: the seed is small  (seed 2)"
    numbers = {line["what"]: float(line["value"]) for line in last if line["kind"] == "number"}
    assert numbers == {"twice the seed": 4, "first, size (nats)": 2.5, "second, size (nats)": -1e-7}
    picture = (course / "build" / "sweep.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_a_sweep_over_seeds_is_a_table_and_nothing_runs_twice(course):
    out, _ = sweep(course, "--grid", "seed=0:10", status=1)
    assert out.splitlines()[1].split() == ["seed", *map(str, range(10))]
    assert out.splitlines()[2].split() == ["01_small", "✓", "✓", *"✗" * 8]
    before = {path: path.stat().st_mtime_ns for path in (course / "build" / "sweep").iterdir()}
    assert len(before) == 10
    sweep(course, "--grid", "seed=0:11", status=1)
    after = {path: path.stat().st_mtime_ns for path in (course / "build" / "sweep").iterdir()}
    assert len(after) == 11
    assert after.items() >= before.items()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "make sweep GRID="),
        (["--grid", "sed=1"], 'has a parameter "sed"'),
        (["--grid", "seed"], "is no parameter"),
        (
            ["--grid", "seed=1", "--scheduler", "tcp://127.0.0.1:1"],
            "no Dask scheduler|requirements",
        ),
        (["--grid", "seed=1", "--scheduler", "localhost"], "write tcp://host:8786|requirements"),
    ],
)
def test_refusals(course, arguments, said):
    _, error = sweep(course, *arguments, status=2)
    assert error.startswith("refused: ")
    assert error.count("\n") == 1
    assert any(words in error for words in said.split("|")), error


def kernels_of(course):
    """Processes whose working folder is that of the small course's notebooks."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(course / "notebooks"):
                found.append(process)
    return found


def until(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


def test_an_interrupt_keeps_what_finished_and_leaves_no_kernel(course):
    (course / "build").mkdir()
    (course / "build" / "sweep.png").write_bytes(b"of another grid")
    process = start(course, "--grid", "seed=0:1 wait=0.0,100.0,101.0")
    until(lambda: len(list((course / "build").glob("sweep/*.json"))) == 1 and kernels_of(course))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "what was finished is kept" in error
    until(lambda: not kernels_of(course), 120)
    kinds = {(line["wait"], line["kind"]) for line in lines(course)}
    assert {("0.0", "seconds"), ("100.0", "not run"), ("101.0", "not run")} <= kinds
    assert not (course / "build" / "sweep.png").exists()


@pytest.fixture
def scheduler(course):
    """A scheduler on this machine: its address and how to start a worker in a folder."""
    pytest.importorskip("distributed")
    logs = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address_file = course / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(address_file)]
    processes = [subprocess.Popen([*command, *options], cwd=course, **logs)]
    until(address_file.exists)
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1"]
    worker += ["--no-dashboard", "--scheduler-file", str(address_file)]

    def start_worker(folder):
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        processes.append(subprocess.Popen(worker, cwd=folder, env=environment, **logs))
        return processes[-1]

    yield json.loads(address_file.read_text())["address"], start_worker
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(course, scheduler):
    """A scheduler and two workers in the folder of the course: its address and the workers."""
    address, start_worker = scheduler
    return address, [start_worker(course) for _ in range(2)]


def test_a_cluster_loses_a_worker_and_no_result(course, cluster):
    address, (first, _) = cluster
    process = start(course, "--grid", "seed=0:2 wait=1.5,1.6,1.7", "--scheduler", address)
    until(lambda: psutil.Process(first.pid).children(recursive=True))
    first.kill()
    out, error = process.communicate(timeout=400)
    assert process.returncode == 0, out + error
    assert sum(line["kind"] == "seconds" for line in lines(course)) == 6
    assert not [line for line in lines(course) if line["kind"] == "not run"]
    until(lambda: not kernels_of(course), 60)


def test_an_interrupt_ends_the_kernels_on_the_cluster(course, cluster):
    address, _ = cluster
    process = start(course, "--grid", "seed=0:1 wait=0.0,100.0,101.0", "--scheduler", address)
    until(lambda: len(list((course / "build").glob("sweep/*.json"))) == 1 and kernels_of(course))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 130, error
    until(lambda: not kernels_of(course), 120)
    assert seeds_run(course) == {"0"}
    sweep(course, "--grid", "seed=1:2", "--scheduler", address)  # the cluster goes on
    assert seeds_run(course) == {"1"}


def test_a_worker_with_another_course_is_refused(course, cluster):
    address, _ = cluster
    other = course.parent / f"{course.name}-other"
    shutil.copytree(course, other, ignore=shutil.ignore_patterns("build", "scheduler.json"))
    (other / "lecture_utils" / "tables.py").write_text("changed = True\n")
    _, error = sweep(other, "--grid", "seed=0:1", "--scheduler", address, status=2)
    assert "another version of the course lies on tcp://" in error


def test_a_cluster_without_workers_says_so_and_begins_when_one_comes(course, scheduler):
    address, start_worker = scheduler
    process = start(course, "--grid", "seed=0:1", "--scheduler", address)
    said = process.stderr.readline()
    assert (
        said == f"no workers: start `dask worker {address} --nthreads 1` in the course's folder\n"
    )
    start_worker(course)
    out, error = process.communicate(timeout=200)
    assert process.returncode == 0, out + error


def test_a_worker_outside_the_course_is_refused(course, scheduler, tmp_path):
    address, start_worker = scheduler
    (tmp_path / "elsewhere").mkdir()
    start_worker(tmp_path / "elsewhere")
    _, error = sweep(course, "--grid", "seed=0:1", "--scheduler", address, status=2)
    assert re.search(r"refused: start the worker tcp://\S+ in the course's folder: .*tools", error)
