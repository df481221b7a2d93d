"""Read what an answer returned as numbers, of whatever type they are."""

import itertools
from dataclasses import dataclass

import numpy as np

MOST_NUMBERS = 20_000_000  # more are not looked at
MOST_SHOWN = 99  # values that are counted, where several are asked for


@dataclass(frozen=True)
class Raised:
    """Stands for the value of an answer that raised."""

    error: BaseException


@dataclass(frozen=True)
class Unusable:
    """Stands for the value of an answer that cannot be compared."""

    reason: str


def comparable(value, n_parts):
    """Copy `value` into `n_parts` float64 arrays; None and `Unusable` stand for the rest."""
    if value is None:
        return None
    try:
        if n_parts == 1:
            return (as_numbers(value),)
        if isinstance(value, dict | set | frozenset | str | bytes):
            kind = type(value).__name__
            return Unusable(f"returned a {kind} where {n_parts} values are asked for")
        try:
            parts = iter(value)
        except TypeError:
            return Unusable(f"returned one value, {n_parts} are asked for")
        values = list(itertools.islice(parts, MOST_SHOWN + 1))
        if len(values) != n_parts:
            many = len(values) if len(values) <= MOST_SHOWN else f"more than {MOST_SHOWN}"
            return Unusable(f"returned {many} values, {n_parts} are asked for")
        return tuple(as_numbers(part) for part in values)
    except _NoNumbers as reason:
        return Unusable(f"returned {reason}")
    except Exception as error:  # whatever an object does when it is read as numbers
        return Unusable(f"returned something that cannot be read as numbers ({one_line(error)})")


def as_parts(value):
    """Tuple of float64 arrays: one of them for a number or an array, several for a tuple."""
    return tuple(as_numbers(part) for part in (value if isinstance(value, tuple) else (value,)))


class _NoNumbers(ValueError):
    """The message is what was found in place of numbers."""


def as_numbers(value):
    """A float64 copy of a number, an array, a tensor, or a list of such."""
    array = _as_array(value)
    if array.size > MOST_NUMBERS:
        raise _NoNumbers(f"an array of shape {array.shape}: that is too large to be right")
    if array.dtype.kind == "O":
        array = np.array([_as_float(entry) for entry in array.flat]).reshape(array.shape)
    if array.dtype.kind == "c":
        if np.any(array.imag != 0):
            raise _NoNumbers("a complex number where a real one is asked for")
        array = array.real
    if array.dtype.kind not in "biuf":
        raise _no_number(value)
    return array.astype(np.float64)


def _as_array(value):
    if isinstance(value, np.ma.MaskedArray):  # a masked entry is no number
        return value.astype(float).filled(np.nan)
    if hasattr(value, "detach"):  # a torch tensor, perhaps one that requires a gradient
        value = value.detach().cpu()
        value = value.numpy() if value.is_complex() else value.double().numpy()
    if isinstance(value, list | tuple):
        if len(value) > MOST_NUMBERS:
            raise _NoNumbers(f"a list of {len(value):,} entries: that is too long to be right")
        parts = [as_numbers(part) for part in value]
        if len({part.shape for part in parts}) > 1:
            raise _NoNumbers("a list whose entries have different shapes")
        value = parts
    return np.asarray(value)


def _as_float(entry):
    """A number of a type that numpy does not know: a fraction, a decimal, a symbolic number."""
    if isinstance(entry, complex | np.complexfloating | np.ndarray) or hasattr(entry, "detach"):
        number = as_numbers(entry)
        if number.ndim == 0:
            return float(number)
    elif hasattr(entry, "__float__") and not isinstance(entry, str | bytes):
        return float(entry)
    raise _no_number(entry)


def _no_number(value):
    kind = type(value).__name__
    return _NoNumbers(f"a {kind} where a number or an array is asked for")


def one_line(error):
    """Type and message of an exception in one short line, even if it cannot be printed."""
    kind = type(error).__name__
    try:
        message = " ".join(str(error).split())
    except BaseException:  # its __str__ may do anything
        message = ""
    return f"{kind}: {message}"[:150] if message else kind
