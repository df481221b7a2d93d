"""A grid of parameters, "seed=0:10 epochs=10,20", and the runs of lectures that it makes."""

import itertools
import re
from dataclasses import dataclass

from tools.course import Refused
from tools.parameters import convert, parameters_of, split_parameters

RANGE = re.compile(r"(-?\d+):(-?\d+)(?::(\d+))?")
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Setting:
    """A lecture with values for its parameters, in the order of the grid."""

    name: str
    values: tuple  # of (name, value)

    def __str__(self):
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.values)])


def values_of(text):
    """Return the texts of "0:10" (0 to 9), "0:10:2" or "10,20"."""
    parts = []
    for part in text.split(","):
        match = RANGE.fullmatch(part)
        if match:
            first, end, step = int(match[1]), int(match[2]), int(match[3] or 1)
            if step == 0 or not (first < end <= first + MOST_RUNS * step):
                raise Refused(f'"{part}" holds no numbers, or too many: 0:10 means 0 to 9')
            parts += map(str, range(first, end, step))
        elif ":" in part:
            raise Refused(f'"{part}" is no range: write 0:10 for 0 to 9')
        elif part:
            parts.append(part)
    if not parts or len(set(parts)) < len(parts):
        raise Refused(f'"{text}" is empty or says something twice: write 0:10 or 10,20')
    return parts


def settings(runs, text):
    """Return the `Setting`s of the lectures `runs` over the grid `text`.

    A lecture gets those parameters that it has. One that has none of them runs once.

    Raises
    ------
    Refused
        When no lecture has a parameter, or a value is of the wrong type.
    """
    grid = {name: values_of(given) for name, given in split_parameters(text).items()}
    known = {run.name: parameters_of(run) for run in runs}
    there_are = ", ".join(sorted(set().union(*known.values()))) or "none"
    for name in grid:
        if not any(name in defaults for defaults in known.values()):
            raise Refused(f'no chosen lecture has a parameter "{name}"; there are: {there_are}')
    found = []
    for lecture, defaults in known.items():
        axes = [
            [(name, convert(name, value, defaults[name], lecture)) for value in given]
            for name, given in grid.items()
            if name in defaults
        ]
        found += [Setting(lecture, values) for values in itertools.product(*axes)]
    if len(found) > MOST_RUNS:
        raise Refused(f"{len(found)} runs are more than {MOST_RUNS}: choose fewer values")
    return found
