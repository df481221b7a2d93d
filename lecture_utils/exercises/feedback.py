"""What a student calls: `check` an answer, open a `hint`."""

import sys
from collections import Counter

import numpy as np

from lecture_utils.exercises.cell import refuse_leftover
from lecture_utils.exercises.exercise import Wrong
from lecture_utils.exercises.judge import judge
from lecture_utils.exercises.registry import find
from lecture_utils.exercises.running import numpy_untouched, prints_kept

ATTEMPTS_BEFORE_HINT = 3

_wrong_attempts = Counter()
_hints_opened = Counter()


def check(name, function):
    """Try `function` in fixed and in fresh random cases, and say whether it is right.

    Parameters
    ----------
    name : str
        Name of the exercise.
    function : callable
        The answer, itself and not its result. A notebook's cell must define it: one that an
        earlier cell left in memory is not judged.

    Raises
    ------
    NotYet, Wrong
        When the answer does not pass; a notebook shows one line that says why.
    """
    exercise = find(name)
    refuse_leftover(name, sys._getframe(1))
    try:
        with prints_kept() as printed, numpy_untouched():
            judge(exercise, function, np.random.default_rng())
    except Wrong as wrong:
        _wrong_attempts[name] += 1
        if _wrong_attempts[name] >= ATTEMPTS_BEFORE_HINT:
            stop = "" if str(wrong).endswith((".", "?", "!")) else "."
            wrong.args = (f'{wrong}{stop} Stuck? Run hint("{name}")',)
        wrong.printed = printed.lines()
        raise
    _wrong_attempts[name] = 0
    discovery = [f"  To discover: {exercise.discovery}"] if exercise.discovery else []
    print("\n".join([f"✓ {name}: correct", *discovery, *printed.lines()]))


def hint(name):
    """Print the next hint for the exercise `name`; after the last one, the last one again."""
    hints = find(name).hints
    number = min(_hints_opened[name] + 1, len(hints))
    _hints_opened[name] = number
    print(f"Hint {number} of {len(hints)}: {hints[number - 1]}")
