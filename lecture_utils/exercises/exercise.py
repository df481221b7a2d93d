"""What an exercise consists of, and the ways in which an answer can fail."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 10  # that an answer may compute


@dataclass(frozen=True)
class Exercise:
    """One exercise: everything that is needed to judge an answer and to help on.

    cases : rng -> list of argument tuples: fixed ones first, one for each sentence of the task and
        a small one to begin with, then random ones
    oracle : the right answer, by another method than the solution in the notebook; its parameters
        are those of the function that the student writes; several results come as a tuple
    second_answer : a right answer in yet another style; the tests hold that it passes
    mistakes : (wrong answer, what to say about it); each must differ from the oracle in some case,
        whatever the random cases are
    hints : from a nudge to nearly the answer
    recognised : (property, what to say); the property is asked of the arguments of a case and the
        answer's values, and must hold in every case of a wrong answer
    advice : (words of an error, what to do about it), where the error of a library function has a
        cause in this exercise
    tolerance : relative, and absolute near zero: what the task says of digits
    absolute : the tolerance near zero, where it is another than the relative one, because some
        right answers are tiny
    discovery : what to try with an answer that is right, where there is something to discover
    draws : how often the random cases are drawn in one check
    seconds : that an answer may compute; None stands for `SECONDS`
    """

    name: str
    cases: Callable
    oracle: Callable
    second_answer: Callable
    mistakes: tuple[tuple[Callable, str], ...]
    hints: tuple[str, ...]
    tolerance: float = 1e-8
    absolute: float | None = None
    discovery: str = ""
    recognised: tuple[tuple[Callable, str], ...] = ()
    advice: tuple[tuple[str, str], ...] = ()
    draws: int = 10
    seconds: float | None = None

    @property
    def parameters(self):
        """Names of the arguments of the function that the student writes."""
        return list(inspect.signature(self.oracle).parameters)


class Verdict(Exception):
    """An answer that does not pass. A notebook shows it as one line instead of a traceback."""

    def __init__(self, message):
        super().__init__(f"✗ {message}")
        self.printed = []  # the first lines of what the answer printed

    def _render_traceback_(self):
        # IPython asks an exception for the lines to show; below the verdict come the student's own.
        return [str(self), *self.printed]


class NotYet(Verdict):
    """There is no answer yet."""


class Wrong(Verdict):
    """There is an answer, and it is not right."""
