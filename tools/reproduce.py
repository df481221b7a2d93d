"""Compare the stored outputs with what other threads, processors and package versions give.

python -m tools.reproduce --notebooks "01 08" --conditions "threads-2 oldest" -- PYTEST-OPTIONS
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np
import pytest
from tqdm import tqdm

from tools import course
from tools.course import ROOT, Parser, Refused, choose, claim, command, with_solutions
from tools.kernels import THREADS, kernel_environment, own_folders, python_path
from tools.several import interrupts_noted, kill_children, run_command

PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn")

# What a kernel's environment has under each condition. A processor with fewer instructions adds in
# another order: each of these variables takes instructions from one library, on x86-64 at least.
CONDITIONS = {
    "threads-1": dict.fromkeys(THREADS, "1"),
    "threads-2": dict.fromkeys(THREADS, "2"),
    "torch-default": {"ATEN_CPU_CAPABILITY": "default"},
    # The one value with an effect on processors that are not Intel's.
    "mkl-compatible": {"MKL_CBWR": "COMPATIBLE"},
    "onednn-sse41": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    # The names that numpy takes are its own, and others in each version.
    "numpy-baseline": {
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
        )
    },
    "openblas-nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "openblas-skylakex": {"OPENBLAS_CORETYPE": "SkylakeX"},  # of no effect without AVX512
    "oldest": {},
    "newest": {},
}


@dataclass
class Trial:
    """One notebook under one condition, and what came of it."""

    condition: str
    path: Path
    differences: dict[str, str] = field(default_factory=dict)  # by the name of the cell
    broken: str = ""  # one line; empty when its cells were compared

    @property
    def name(self):
        return self.path.relative_to(course.NOTEBOOKS).with_suffix("").as_posix()


@command()
def main():
    """Run what the command line asks for and return the exit status."""
    parser = Parser("reproduce", __doc__)
    parser.add_notebooks()
    parser.add_argument("--conditions", default="", help=" ".join(CONDITIONS))
    parser.add_output()
    parser.add_argument("pytest", nargs="+", help="after --, how pytest compares notebooks")
    options = parser.parse_args()
    table = {
        condition: [Trial(condition, path) for path in with_solutions(choose(options.notebooks))]
        for condition in chosen_conditions(options.conditions)
    }
    claim(options.output)
    results = options.output / "reproduce"
    run_all(table, options.pytest, results)
    return report(table, results)


def chosen_conditions(names):
    """Return the conditions in `names`, or all, in the order of the list."""
    for name in names.split():
        if name not in CONDITIONS:
            there_are = ", ".join(CONDITIONS)
            raise Refused(f'there is no condition "{name}"; there are: {there_are}')
    return [name for name in CONDITIONS if name in names.split() or not names.split()]


def run_all(table, pytest_options, results):
    """Run the trials of each condition, several at once, and write its log."""
    results.mkdir(exist_ok=True)
    with tqdm(total=sum(map(len, table.values())), unit="notebook") as bar:
        for condition, trials in table.items():
            bar.set_description(condition)
            log = results / f"{condition}.log"
            log.unlink(missing_ok=True)
            try:
                environment = kernel_environment() | settings(
                    condition, package_folder(results, condition)
                )
            except Refused as reason:
                for trial in trials:
                    trial.broken = str(reason)
                bar.update(len(trials))
                continue
            run_condition(trials, environment, pytest_options, bar)
            if any(trial.differences or trial.broken for trial in trials):
                log.write_text(described(condition, trials, results), encoding="utf-8")


def package_folder(results, condition):
    return results / f"{condition}-packages"


def settings(condition, folder):
    """Return the variables of a condition; "oldest" and "newest" install into `folder` first."""
    if condition not in ("oldest", "newest"):
        return CONDITIONS[condition]
    shutil.rmtree(folder, ignore_errors=True)
    # The packages before all others on the path: torch and Jupyter stay those of the environment.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(folder), *requirements(condition)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[0] if errors else f"it ended with {done.returncode}"
        raise Refused(f"pip cannot install {' '.join(requirements(condition))}: {why}")
    return {"PYTHONPATH": python_path(folder)}


def requirements(condition):
    """Return what pip is to install: the lower bounds in pyproject.toml, or the ranges."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = [text for text in project["dependencies"] if re.match(r"[\w-]+", text)[0] in PACKAGES]
    if condition == "newest":
        return ranges
    return [re.sub(r">=([\d.]+).*", r"==\1", text) for text in ranges]


def run_condition(trials, environment, pytest_options, bar):
    """Run the trials of one condition, as many at once as there are processors for."""
    n_at_once = max(1, (os.cpu_count() or 1) // int(environment["COURSE_THREADS"]))
    waiting, running = trials[::-1], {}
    with TemporaryDirectory() as scratch, interrupts_noted() as interrupted:
        while (waiting or running) and not interrupted.is_set():
            while waiting and len(running) < n_at_once:
                trial = waiting.pop()
                base = Path(scratch) / f"{len(waiting)}"
                running[start(trial, base, environment, pytest_options)] = trial, base
            time.sleep(0.1)
            for process in [process for process in running if process.poll() is not None]:
                read_result(*running.pop(process), process.returncode)
                bar.update()
        if interrupted.is_set():
            kill_children()


def start(trial, base, environment, pytest_options):
    """Start pytest on one notebook; it writes `base`.xml and, for what goes wrong, `base`.txt."""
    command = [sys.executable, "-m", "pytest", *pytest_options, "-vv", "--color=no"]
    command += ["-p", "no:cacheprovider", f"--junitxml={base}.xml", str(trial.path)]
    with base.with_suffix(".txt").open("w") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | own_folders(base),
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def read_result(trial, base, status):
    """Note what pytest, which ended with `status`, says of the cells of one notebook."""
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        lines = base.with_suffix(".txt").read_text(errors="replace").strip().splitlines()
        errors = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
        trial.broken = f"pytest compared no cell: {[*lines, *errors][-1] if lines else status}"
        return
    for case in ElementTree.parse(base.with_suffix(".xml")).iter("testcase"):
        for problem in (*case.iter("failure"), *case.iter("error")):
            trial.differences[case.get("name")] = problem.text or problem.get("message")


def described(condition, trials, results):
    """Return the text of a condition's log: its settings and the differences, as nbval says it."""
    parts = [f"{name}={value}" for name, value in CONDITIONS[condition].items()]
    installed = importlib.metadata.distributions(path=[str(package_folder(results, condition))])
    parts += sorted(f"{package.name}=={package.version}" for package in installed)
    for trial in trials:
        if trial.broken:
            parts.append(f"\n=== {trial.name}\n{trial.broken}")
        for cell, text in trial.differences.items():
            parts.append(f"\n=== {trial.name}, {cell}\n{text}")
    return "\n".join(parts) + "\n"


def report(table, results):
    """Print how many cells differ, by condition and lecture, and which; return the exit status."""
    numbers = sorted({trial.path.name[:2] for trials in table.values() for trial in trials})
    width = max(map(len, ["condition", *table]))
    print(f"\n{'condition':{width}}  " + " ".join(f"{number:>3}" for number in numbers))
    for condition, trials in table.items():
        marks = [mark([t for t in trials if t.path.name[:2] == number]) for number in numbers]
        print(f"{condition:{width}}  " + " ".join(f"{text:>3}" for text in marks))
    print("\nok, or how many cells of the lecture and its solutions differ; ✗: could not be run")
    failed = [t for trials in table.values() for t in trials if t.broken or t.differences]
    for trial in failed:
        print(f"{trial.condition}, {trial.name}: {trial.broken or ', '.join(trial.differences)}")
    if failed:
        print(f"the differences stand in {results}")
    return 1 if failed else 0


def mark(trials):
    """Return what the table shows of a lecture and its solutions."""
    if any(trial.broken for trial in trials):
        return "✗"
    return str(sum(len(trial.differences) for trial in trials) or "ok")


if __name__ == "__main__":
    run_command(main)
