"""Decide whether an answer is right, and if not, say the most helpful thing about it."""

import copy
import linecache
import traceback
from dataclasses import dataclass

import numpy as np

from lecture_utils.exercises.exercise import NotYet, Wrong
from lecture_utils.exercises.running import TimeUp, run_limited

SECONDS = 2  # for all cases of one check
SHOWN_ENTRIES = 12  # longer arrays are not shown


@dataclass(frozen=True)
class Raised:
    """Stands for the value of an answer that raised."""

    error: BaseException


@dataclass(frozen=True)
class Unusable:
    """Stands for the value of an answer that cannot be compared."""

    reason: str


def judge(exercise, function, rng):
    """Hold `function` against the oracle of `exercise`, in its fixed and random cases.

    Raises
    ------
    NotYet
        When the function is still the stub.
    Wrong
        For every other function that does not agree with the oracle in all cases.
    """
    if hasattr(exercise, "trial"):  # something is built: `building` says how that is judged
        return exercise.judge(function, rng)
    if not callable(function):
        raise Wrong(
            f"{exercise.name}: hand over the function itself, "
            f'check("{exercise.name}", {exercise.name})'
        )
    cases = exercise.cases(rng)
    wanted = [as_parts(exercise.oracle(*case)) for case in cases]
    answers = answers_to(exercise, function, cases, wanted)

    for case, answer in zip(cases, answers, strict=True):
        _refuse_unusable(exercise, function, case, answer)
    differs = [not _same(*pair, exercise.tolerance) for pair in zip(answers, wanted, strict=True)]
    if not any(differs):
        return
    for mutant, message in exercise.mistakes:
        mistaken = answers_of_mutant(mutant, cases, wanted)
        if all(map(_same, answers, mistaken, [exercise.tolerance] * len(cases))):
            raise Wrong(f"{exercise.name}: {message}")
    first = differs.index(True)
    where = _describe(exercise, cases[first])
    raise Wrong(f"{exercise.name}: {_difference(answers[first], wanted[first], exercise)}{where}")


def answers_to(exercise, function, cases, wanted):
    """Values of the student's function in all cases.

    The function gets copies, so that changing its arguments in place harms nobody.
    """
    copies = [copy.deepcopy(case) for case in cases]  # one by one: cases may share an array
    answers = []

    def answer_all():
        with np.errstate(all="ignore"):
            for case, want in zip(copies, wanted, strict=True):
                try:
                    answers.append(comparable(function(*case), len(want)))
                except TimeUp:
                    raise
                except BaseException as error:  # SystemExit, too, is an answer that failed
                    answers.append(Raised(error))

    finished, stopped = run_limited(answer_all, SECONDS)
    if not finished:
        remedy = "does a loop never end?" if stopped else "it cannot be stopped: restart the kernel"
        raise Wrong(f"{exercise.name}: no answer after {SECONDS} seconds; {remedy}")
    return answers


def answers_of_mutant(mutant, cases, wanted):
    """Values of a known mistake in all cases."""
    with np.errstate(all="ignore"):
        return [
            comparable(mutant(*case), len(want)) for case, want in zip(cases, wanted, strict=True)
        ]


def comparable(value, n_parts):
    """Copy `value` into `n_parts` float64 arrays; None and `Unusable` stand for the rest."""
    if value is None:
        return None
    if n_parts > 1:
        if isinstance(value, dict | str):
            kind = type(value).__name__
            return Unusable(f"returned a {kind} where {n_parts} values are asked for")
        try:
            value = tuple(value)
        except TypeError:
            return Unusable(f"returned one value, {n_parts} are asked for")
        if len(value) != n_parts:
            return Unusable(f"returned {len(value)} values, {n_parts} are asked for")
    else:
        value = (value,)
    try:
        return as_parts(value)
    except (TypeError, ValueError) as error:
        return Unusable(f"returned {error}")


def as_parts(value):
    """Tuple of float64 arrays: one of them for a number or an array, several for a tuple."""
    return tuple(_as_numbers(part) for part in (value if isinstance(value, tuple) else (value,)))


def _as_numbers(value):
    if hasattr(value, "detach"):  # a torch tensor, perhaps one that requires a gradient
        value = value.detach().cpu().double().numpy()
    if isinstance(value, list | tuple):
        parts = [_as_numbers(part) for part in value]
        if len({part.shape for part in parts}) > 1:
            raise ValueError("a list whose entries have different shapes")
        value = parts
    array = np.array(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a {type(value).__name__} where a number or an array is asked for")
    return array.astype(np.float64)


def _same(a, b, tolerance):
    if isinstance(a, Unusable) or isinstance(b, Unusable) or len(a) != len(b):
        return False
    return all(
        x.shape == y.shape and np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def _refuse_unusable(exercise, function, case, answer):
    where = _describe(exercise, case)
    if isinstance(answer, Raised) and isinstance(answer.error, NotImplementedError):
        raise NotYet(
            f"{exercise.name}: not yet - write your answer in place of `raise NotImplementedError`"
        )
    if isinstance(answer, Raised):
        raise Wrong(f"{exercise.name}: {_location(exercise, function, answer.error)}{where}")
    if answer is None:
        raise Wrong(f"{exercise.name}: it returned None: is a `return` missing?{where}")
    if isinstance(answer, Unusable):
        raise Wrong(f"{exercise.name}: it {answer.reason}{where}")


def _location(exercise, function, error):
    """What was raised, and the line of the student's cell that led to it."""
    what = f"{type(error).__name__}: {error}".removesuffix(": ").splitlines()[0].strip()[:150]
    code = getattr(function, "__code__", None)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if code and frame.filename == code.co_filename
    ]
    if not lines:
        called_as = f"{exercise.name}({', '.join(exercise.parameters)})"
        return f"{what}; the function is called as {called_as}"
    source = linecache.getline(code.co_filename, lines[-1]).strip()
    return f"line {lines[-1]} of the cell, `{source}`, raised {what}"


def _describe(exercise, case):
    """The short arguments of a case, e.g. " (counts = [2, 1, 1])", or nothing."""
    short = [
        f"{name} = {_show(np.asarray(argument))}"
        for name, argument in zip(exercise.parameters, case, strict=True)
        if isinstance(argument, int | float | np.ndarray) and np.size(argument) <= SHOWN_ENTRIES
    ]
    return f" ({', '.join(short)})" if short else ""


def _show(array):
    return np.array2string(array, precision=4, separator=", ").replace("\n", "")


def _difference(answer, want, exercise):
    """The first thing in which an answer departs from what is wanted."""
    position = next(
        i
        for i, pair in enumerate(zip(answer, want, strict=True))
        if not _same(*[(part,) for part in pair], exercise.tolerance)
    )
    got, right = answer[position], want[position]
    name = "your answer" if len(want) == 1 else f"value {position + 1} of your answer"
    if got.shape != right.shape:
        form = f"shape {right.shape}" if right.shape else "a single number"
        return f"{name} has shape {got.shape}, asked for is {form}"
    if np.isnan(got).any() and not np.isnan(right).any():
        return (
            f"{name} is NaN: look for 0/0, 0 · log 0, the logarithm of a negative number, or np.nan"
        )
    if got.size > SHOWN_ENTRIES:
        worst = np.unravel_index(np.argmax(np.abs(got - right)), got.shape)
        name, got, right = f"{name} at {tuple(map(int, worst))}", got[worst], right[worst]
    if np.allclose(got, right, rtol=1e-3, atol=1e-3):
        error = np.abs(got - right).max()
        return (
            f"{name} is off by {error:.1e}: was something rounded, as float32 does, or an "
            "epsilon added?"
        )
    return f"{name} is {_show(got)}, right is {_show(right)}"
