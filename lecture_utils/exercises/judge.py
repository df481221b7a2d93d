"""Decide whether an answer is right, and if not, say the most helpful thing about it."""

import copy
import inspect
import time
import warnings

import numpy as np

from lecture_utils.exercises.cell import is_stub, place_of
from lecture_utils.exercises.exercise import SECONDS, NotYet, Wrong
from lecture_utils.exercises.running import (
    FINISHED,
    STUBBORN,
    WAITING,
    TimeUp,
    computed,
    run_limited,
)
from lecture_utils.exercises.values import Raised, Unusable, as_parts, comparable, one_line

SHOWN_ENTRIES = 12  # longer arrays are not shown
FRESH_DRAWS = 3  # that must bear out a known mistake before it is named
# What to do about an error whose words do not say it.
ADVICE = {
    "Integers to negative integer powers": "make the base a float, 2.0**-n instead of 2**-n",
    "0-dimensional array given": "where np.cov gave it, there is one column only, and its "
    "covariance is a number: np.atleast_2d makes it a matrix",
}
NEARLY = 1e-3  # relative error of an answer whose formula is probably right


def judge(exercise, function, rng):
    """Hold `function` against the oracle of `exercise`, in its fixed and random cases.

    The random cases are drawn several times, for a slow answer less often.

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
    with np.errstate(all="ignore"):  # wherever a notebook told numpy to raise
        computed_before = computed()
        first = exercise.cases(rng)
        _judge_cases(exercise, function, first, rng)
        for _ in range(exercise.draws - 1):
            if computed() - computed_before > _seconds(exercise) / 2:
                return
            _judge_cases(exercise, function, _fresh_cases(exercise, rng, first), rng)


def _judge_cases(exercise, function, cases, rng):
    wanted = [as_parts(exercise.oracle(*case)) for case in cases]
    answers, late = answers_to(exercise, function, cases, wanted)
    # One that comes late may show by its first answers that it is wrong.
    cases, wanted = cases[: len(answers)], wanted[: len(answers)]
    for case, answer in zip(cases, answers, strict=True):
        _refuse_unusable(exercise, function, case, answer)
    differs = [
        not _same(answer, want, exercise) for answer, want in zip(answers, wanted, strict=True)
    ]
    if any(differs):
        message = _known_mistake(exercise, function, cases, wanted, answers, rng)
        if not message:
            i = differs.index(True)
            message = _difference(exercise, function, cases[i], answers[i], wanted[i])
        raise Wrong(f"{exercise.name}: {message}")
    if late:
        raise Wrong(f"{exercise.name}: {late}")


def _seconds(exercise):
    return exercise.seconds or SECONDS


def _fresh_cases(exercise, rng, known):
    """New cases, without the fixed ones, which all draws have in common."""
    drawn = exercise.cases(rng)
    return [case for i, case in enumerate(drawn) if i >= len(known) or not _alike(case, known[i])]


def _alike(case, other):
    return len(case) == len(other) and all(
        a is b if callable(a) else np.array_equal(a, b) for a, b in zip(case, other, strict=True)
    )


def answers_to(exercise, function, cases, wanted):
    """Values of the student's function in all cases, or in the first ones when the time is up.

    The function gets copies, so that changing its arguments in place harms nobody.

    Returns
    -------
    answers : list
    late : str
        What to say when the time was up, or nothing.
    """
    copies = [copy.deepcopy(case) for case in cases]  # one by one: cases may share an array
    answers, begun = [], []

    def answer_all():
        for case, want in zip(copies, wanted, strict=True):
            begun.append(time.monotonic())
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    answer = comparable(function(*case), len(want))
            except TimeUp:
                raise
            except BaseException as error:  # SystemExit, too, is an answer that failed
                answer = Raised(error)
            answers.append(answer)

    how = run_limited(answer_all, _seconds(exercise))
    answered = list(answers)  # a thread that did not stop may go on
    if how == FINISHED:
        return answered, ""
    return answered, _late(exercise, how, cases, begun, len(answered))


def _late(exercise, how, cases, begun, n_answered):
    """Tell an answer that is slow from one that does not end."""
    seconds = _seconds(exercise)
    if n_answered and begun[-1] - begun[0] > (time.monotonic() - begun[0]) / 4:
        return (
            f"right so far, but too slow: {seconds:g} seconds are allowed, and in these it gave "
            f"{n_answered} of {len(cases)} answers"
        )
    where = _describe(exercise, cases[n_answered])
    fact = f"no answer to one single case after {seconds:g} seconds, the time allowed for all"
    if how == WAITING:
        return f"{fact}: it waits, or is in one long call that cannot be cut short{where}"
    if how == STUBBORN:
        return (
            f"{fact}, and it still runs, because it catches every exception: end it with Restart "
            f"in the menu Kernel{where}"
        )
    return f"{fact}: does a loop never end?{where}"


def _known_mistake(exercise, function, cases, wanted, answers, rng):
    """What to say about a known mistake; it must match in these cases and in fresh ones, too."""
    candidates = [
        *[(_is_value_of(mutant, exercise), text) for mutant, text in exercise.mistakes],
        *[(_has(is_such), text) for is_such, text in exercise.recognised],
    ]
    candidates = [one for one in candidates if _in_all(one[0], cases, answers)]
    if not candidates:
        return ""
    fresh = [case for _ in range(FRESH_DRAWS) for case in _fresh_cases(exercise, rng, cases)]
    if fresh:
        fresh_wanted = [as_parts(exercise.oracle(*case)) for case in fresh]
        answers, _ = answers_to(exercise, function, fresh, fresh_wanted)
        if not answers:
            return ""
    for matches, text in candidates:
        if not fresh or _in_all(matches, fresh[: len(answers)], answers):
            return text
    return ""


def _in_all(matches, cases, answers):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, answer in zip(cases, answers, strict=True):
            try:
                if not (isinstance(answer, tuple) and matches(copy.deepcopy(case), answer)):
                    return False
            except Exception:  # a mistake that cannot be made in this case
                return False
    return True


def _is_value_of(mutant, exercise):
    return lambda case, answer: _same(answer, comparable(mutant(*case), len(answer)), exercise)


def _has(is_such):
    return lambda case, answer: is_such(*case, answer)


def _same(a, b, exercise):
    if not (isinstance(a, tuple) and isinstance(b, tuple)) or len(a) != len(b):
        return False
    absolute = exercise.tolerance if exercise.absolute is None else exercise.absolute
    return all(
        x.shape == y.shape
        and np.allclose(x, y, rtol=exercise.tolerance, atol=absolute, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def _refuse_unusable(exercise, function, case, answer):
    where = _describe(exercise, case)
    if isinstance(answer, Raised):
        if is_stub(answer.error, function):
            raise NotYet(
                f"{exercise.name}: not yet - write your answer in place of "
                "`raise NotImplementedError`"
            )
        raise Wrong(f"{exercise.name}: {_what_was_raised(exercise, function, case, answer)}{where}")
    if answer is None:
        raise Wrong(f"{exercise.name}: it returned None: is a `return` missing?{where}")
    if isinstance(answer, Unusable):
        raise Wrong(f"{exercise.name}: it {answer.reason}{where}")


def _what_was_raised(exercise, function, case, answer):
    what = one_line(answer.error)
    for words, advice in (*ADVICE.items(), *exercise.advice):
        if words in what:
            what = f"{what.rstrip('.')}: {advice}"
    place = place_of(answer.error, function)
    if place:
        return f"{place}{what}"
    if isinstance(answer.error, TypeError) and not _takes(function, case):
        n, names = len(exercise.parameters), ", ".join(exercise.parameters)
        return f"{what}; the answer is called with {n} arguments: {names}"
    return f"it raised {what}"


def _takes(function, case):
    """Whether a function can be called with the arguments of a case, as far as can be known."""
    try:
        signature = inspect.signature(function)
    except Exception:  # some that are written in C have none
        return True
    try:
        signature.bind(*case)
    except TypeError:
        return False
    return True


def _describe(exercise, case):
    """The short arguments of a case, e.g. " (counts = [2, 1, 1])", or nothing."""
    numbers = int | float | np.ndarray | np.generic
    short = [
        f"{name} = {_show(np.asarray(argument))}"
        for name, argument in zip(exercise.parameters, case, strict=False)
        if isinstance(argument, numbers) and np.size(argument) <= SHOWN_ENTRIES
    ]
    return f" ({', '.join(short)})" if short else ""


PLAIN = {"threshold": 1000, "edgeitems": 3, "linewidth": 1000, "suppress": False, "sign": "-"}


def _show(array, precision=4):
    with np.printoptions(**PLAIN, floatmode="maxprec", formatter=None, legacy=False):
        return np.array2string(array, precision=precision, separator=", ").replace("\n", "")


def _show_both(a, b):
    """Two arrays with as many digits as tell them apart."""
    for precision in (4, 8, 12, 17):
        shown = _show(a, precision), _show(b, precision)
        if shown[0] != shown[1]:
            break
    return shown


def _difference(exercise, function, case, answer, want):
    """The first thing in which an answer departs from what is wanted, and in which case."""
    where = _describe(exercise, case)
    if chance := _chance(exercise, function, case, answer):
        return f"{chance}{where}"
    position = next(
        i
        for i, pair in enumerate(zip(answer, want, strict=True))
        if not _same(*[(part,) for part in pair], exercise)
    )
    got, right = answer[position], want[position]
    name = "your answer" if len(want) == 1 else f"value {position + 1} of your answer"
    if got.shape != right.shape:
        form = f"shape {right.shape}" if right.shape else "a single number"
        shape = f"has shape {got.shape}" if got.shape else "is a single number"
        return f"{name} {shape}; the exercise asks for {form}{where}"
    if np.isnan(got).any() and not np.isnan(right).any():
        return (
            f"{name} is NaN: look for 0/0, 0 · log 0, inf - inf, the logarithm or root of a "
            f"negative number, or np.nan{where}"
        )
    error = np.abs(got - right)
    if got.size > SHOWN_ENTRIES:
        worst = np.unravel_index(np.argmax(error), got.shape)
        name, got, right = f"{name} at {tuple(map(int, worst))}", got[worst], right[worst]
    if error.max() <= NEARLY * np.abs(right).max() and np.isfinite(error).all():
        return (
            f"{name} is off by {error.max():.1e}, so nearly right: was something rounded, cut off "
            f"or drawn at random, an epsilon added, or did a search stop early?{where}"
        )
    shown = _show_both(got, right)
    return f"{name} is {shown[0]}, right is {shown[1]}{where}"


def _chance(exercise, function, case, answer):
    """What to say when a second call with the same arguments gives something else, or nothing."""
    again, _ = answers_to(exercise, function, [case], [answer])
    if not again or not isinstance(again[0], tuple):
        return ""
    for first, second in zip(answer, again[0], strict=True):
        if not np.array_equal(first, second, equal_nan=True):
            shown = " and ".join(_show_both(first, second))
            numbers = shown if first.size <= SHOWN_ENTRIES else "different numbers"
            return f"two calls with the same arguments gave {numbers}: leave nothing to chance"
    return ""
