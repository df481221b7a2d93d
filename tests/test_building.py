"""What is built is measured on digits that nobody has seen, and the verdict names what is wrong."""

import re
import time

import numpy as np
import pytest

from lecture_utils.exercises import building, check, feedback
from lecture_utils.exercises.building import Building, Outcome, new_digits
from lecture_utils.exercises.exercise import NotYet, Wrong
from lecture_utils.exercises.registry import NAMES, find

torch = pytest.importorskip("torch")
BUILT = [name for name in NAMES if hasattr(find(name), "trial")]
MISTAKES = [(name, i) for name in BUILT for i in range(len(find(name).mistakes))]
built = pytest.mark.parametrize("name", BUILT)
SEED = 3


def test_each_lecture_on_autoencoders_has_something_to_build():
    assert len(BUILT) >= 10


@built
def test_a_second_right_answer_passes(name):
    exercise = find(name)
    assert len(exercise.mistakes) >= 5
    exercise.judge(exercise.second_answer, np.random.default_rng(SEED))


@pytest.mark.parametrize(("name", "i"), MISTAKES)
def test_each_known_mistake_is_told(name, i):
    exercise = find(name)
    mutant, words = exercise.mistakes[i]
    with pytest.raises(Wrong) as caught:
        exercise.judge(mutant, np.random.default_rng(SEED))
    [line] = caught.value._render_traceback_()
    assert line.startswith(f"✗ {name}: ")
    assert re.search(words, line)
    assert "\n" not in line


@built
def test_the_stub_and_what_is_no_answer_are_told(name):
    def stub(*arguments):
        raise NotImplementedError("your code here")

    def other_stub(*arguments):
        raise NotImplementedError("aten::something is not available")

    def broken(*arguments):
        return 1 / 0

    with pytest.raises(NotYet, match="not yet - write your answer"):
        check(name, stub)
    with pytest.raises(Wrong, match="NotImplementedError: aten"):
        check(name, other_stub)
    with pytest.raises(Wrong, match=r"line \d+ of the cell, `return 1 / 0`, raised ZeroDivision"):
        check(name, broken)
    with pytest.raises(Wrong, match="hand over the function itself"):
        check(name, 3)
    with pytest.raises(Wrong, match=r"called with \("):
        check(name, lambda: None)
    feedback._wrong_attempts.clear()


def trivial(trial):
    return Building("trivial", trial, ["x_train"], None, (), ("a hint",))


def test_too_long_a_training_is_stopped(monkeypatch):
    monkeypatch.setattr(building, "SECONDS", 0.2)

    def endless(build, rng):
        build(None)
        return Outcome(None, None)

    def forever(x_train):
        while True:
            pass

    with pytest.raises(Wrong, match=r"not ready after 0\.2 seconds of computing; train for fewer"):
        trivial(endless).judge(forever, np.random.default_rng(0))


def test_the_students_random_numbers_are_left_as_they_were():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    trivial(lambda build, rng: Outcome(build(None), None)).judge(
        lambda x_train: torch.rand(1) and None, np.random.default_rng(0)
    )
    assert torch.equal(torch.rand(3), wanted)


def test_progress_bars_do_not_show(capsys):
    from tqdm import tqdm

    def slow(build, rng):
        for _ in tqdm(range(3), disable=False):
            time.sleep(0.01)
        return Outcome(None, None)

    trivial(slow).judge(print, np.random.default_rng(0))
    assert capsys.readouterr().err == ""


def test_each_check_has_test_digits_of_its_own():
    one, other = (new_digits(np.random.default_rng(seed)) for seed in (0, 1))
    assert len(one.x_train) == 1437
    assert len(one.x_test) == 360
    assert not np.array_equal(one.x_test, other.x_test)
    both = np.concatenate([one.x_train, one.x_test])
    assert np.isclose(both.sum(), np.concatenate([other.x_train, other.x_test]).sum())
