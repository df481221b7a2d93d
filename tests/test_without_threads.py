"""Exercises as they run in a browser: a Python that cannot start a thread and has no torch."""

import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from lecture_utils.exercises import check, judge, running
from lecture_utils.exercises.exercise import Wrong
from lecture_utils.exercises.registry import TOPICS

BROWSER = list(TOPICS)[: list(TOPICS).index("vanilla_autoencoder")]  # what JupyterLite runs


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = sys.gettrace()
    yield
    assert sys.gettrace() is before
    if sys.version_info >= (3, 12):
        assert sys.monitoring.get_tool(running._Watch.TOOL) is None


def loops(*_):
    while True:
        pass


def loops_in_a_generator(*_):
    return sum(1 for _ in iter(int, 1))


def loops_in_what_it_calls(*_):
    while True:
        loops()


def catches_everything(*_):
    n = 0
    while True:
        try:  # noqa: SIM105
            n += 1
        except BaseException:
            pass


def imports(*_):
    import slow_to_import  # noqa: F401


@pytest.mark.parametrize("work", [loops, loops_in_a_generator, loops_in_what_it_calls])
def test_what_never_ends_is_stopped(work):
    begun = time.monotonic()
    assert running.run_limited(work, 0.1) == running.STOPPED
    assert 0.2 < time.monotonic() - begun < 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="browsers have Python 3.12 or newer")
def test_what_catches_everything_is_stopped():
    assert running.run_limited(catches_everything, 0.1) == running.STOPPED


def test_what_ends_is_finished_and_the_next_one_is_watched_anew():
    for _ in range(3):
        assert running.run_limited(lambda: time.sleep(0.2), 0.1) == running.FINISHED
    assert running.run_limited(loops, 0.1) == running.STOPPED


def test_an_error_comes_through():
    with pytest.raises(ZeroDivisionError):
        running.run_limited(lambda: 1 / 0, 0.1)


def test_an_import_does_not_count(tmp_path, monkeypatch):
    lines = "import time\nfor _ in range(5):\n    time.sleep(0.1)\n"
    (tmp_path / "slow_to_import.py").write_text(lines, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert running.run_limited(imports, 0.1) == running.FINISHED


def test_a_loop_in_an_answer_gets_its_line(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.1)
    with pytest.raises(Wrong, match="does a loop never end"):
        check("extra_bits", loops)


JUDGE_ALL = """
import sys, threading
import numpy as np
class NoTorch:
    def find_spec(self, name, *_):
        if name.split(".")[0] == "torch": raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoTorch())
def refuse(thread): raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
from lecture_utils.exercises.judge import judge
from lecture_utils.exercises.exercise import Wrong
from lecture_utils.exercises.registry import TOPICS, find
for topic in sys.argv[1:]:
    for exercise in map(find, TOPICS[topic]):
        judge(exercise, exercise.second_answer, np.random.default_rng(0))
        for mistake, text in exercise.mistakes:
            try:
                judge(exercise, mistake, np.random.default_rng(0))
            except Wrong as wrong:
                assert text in str(wrong), (exercise.name, text, str(wrong))
            else:
                raise AssertionError(f"{exercise.name}: passes, but {text}")
        print(exercise.name)
"""


def test_right_answers_pass_and_known_mistakes_are_named():
    command = [sys.executable, "-c", JUDGE_ALL, *BROWSER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [name for topic in BROWSER for name in TOPICS[topic]], done.stderr
