"""Exercises in which something is built: the check trains it anew, measures it and shows it.

The check calls the student's function itself, on digits that it draws at random, and measures what
comes back on other digits, which the function has not seen. So nothing is gained by knowing the
test images, and two runs of a check never see the same ones.
"""

import contextlib
import io
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lecture_utils.exercises.exercise import NotYet, Wrong
from lecture_utils.exercises.running import FINISHED, STUBBORN, TimeUp, run_limited

SECONDS = 20  # of computing, for building and measuring
N_TRAIN = 1437  # as in the lectures
SHOWN = 10  # images in a picture


class Digits(NamedTuple):
    """The small digits, newly divided: float64 rows of 64 grey values, and their labels."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Outcome(NamedTuple):
    """What a trial has found: the fault in one line, or None, and how to draw what was built."""

    fault: str | None
    draw: Callable


@dataclass(frozen=True)
class Building:
    """One exercise in which a model is built.

    trial : (the student's function, rng) -> Outcome; it raises `Wrong` for what cannot be measured
    parameters : names of the arguments of the student's function
    second_answer : a right answer in another style than the solution; the tests hold that it passes
    mistakes : (wrong answer, words that the verdict on it must contain)
    hints : from a nudge to nearly the answer
    discovery : what to try after a right answer
    """

    name: str
    trial: Callable
    parameters: list[str]
    second_answer: Callable
    mistakes: tuple[tuple[Callable, str], ...]
    hints: tuple[str, ...]
    discovery: str = ""

    def judge(self, function, rng):
        """Build with `function`, measure, show the picture, and raise when it does not pass.

        Raises
        ------
        NotYet
            When the function is still the stub.
        Wrong
            When what was built is not as asked for, or nothing was.
        """
        if not callable(function):
            raise Wrong(
                f"{self.name}: hand over the function itself, not what it returns: "
                f'check("{self.name}", {self.name})'
            )
        results = []

        def work():
            try:
                results.append(self.trial(function, rng))
            except TimeUp:
                raise
            except BaseException as error:  # SystemExit, too, is an answer that failed
                results.append(error)

        with contextlib.redirect_stderr(io.StringIO()), own_torch(rng):  # no progress bars
            how = run_limited(work, SECONDS)
        if how != FINISHED:
            remedy = "train for fewer epochs, or a smaller network"
            if how == STUBBORN:
                remedy = "it catches every exception, even the one that stops it: Kernel, Restart"
            raise Wrong(f"{self.name}: not ready after {SECONDS} seconds of computing; {remedy}")
        [result] = results
        if isinstance(result, BaseException):
            raise self._verdict_on(result, function) from None
        if in_a_notebook():
            result.draw()
        if result.fault:
            raise Wrong(f"{self.name}: {result.fault}")

    def _verdict_on(self, error, function):
        if isinstance(error, Wrong):
            return Wrong(f"{self.name}: {error.args[0].removeprefix('✗ ')}")
        if isinstance(error, NotImplementedError) and str(error) in ("", "your code here"):
            return NotYet(
                f"{self.name}: not yet - write your answer in place of `raise NotImplementedError`"
            )
        what = f"{type(error).__name__}: {error}".removesuffix(": ").splitlines()[0][:150]
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
        if not lines:
            return Wrong(f"{self.name}: {what}; called with ({', '.join(self.parameters)})")
        source = linecache.getline(file, lines[-1]).strip()
        return Wrong(f"{self.name}: line {lines[-1]} of the cell, `{source}`, raised {what}")


@contextlib.contextmanager
def own_torch(rng):
    """Seed torch from `rng` for the time of a check, and leave the student's state as it was."""
    import torch

    from lecture_utils.training import set_up

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        set_up(int(rng.integers(2**31)))
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def in_a_notebook():
    """Whether there is a place where a picture can be shown."""
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.initialized()


def new_digits(rng):
    """The small digits, divided at random as no lecture divides them."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(x))
    x, y = x[order] / 16, y[order]
    return Digits(x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:])


def tensor(array):
    """A float32 tensor, as the student's functions get it."""
    import torch

    return torch.tensor(np.asarray(array), dtype=torch.float32)


def called(model, x, shape, name):
    """`model(x)` as a float64 array, `x` given as a float32 tensor.

    Raises
    ------
    Wrong
        When the result has another shape, or holds NaN or infinity.
    """
    import torch

    if isinstance(model, torch.nn.Module):
        model.eval()
    with torch.no_grad():
        result = model(tensor(x))
    if isinstance(result, torch.Tensor):
        result = result.detach().cpu().double().numpy()
    result = np.asarray(result)
    if result.dtype.kind not in "biuf":
        raise Wrong(f"{name} must give numbers, and gives {type(result.flat[0]).__name__}")
    allowed = [size for size in shape if size is not None]
    same = result.ndim == len(shape) and all(
        size in (None, got) for size, got in zip(shape, result.shape, strict=True)
    )
    if not same:
        wanted = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
        wanted = str(tuple(allowed)) if len(allowed) == len(shape) else wanted
        raise Wrong(
            f"{name} gives shape {result.shape} for {len(x)} images; the exercise asks for {wanted}"
        )
    if not np.isfinite(result).all():
        raise Wrong(f"{name} gives NaN or infinity: did the training diverge? Lower its rate")
    return result.astype(np.float64)


def functions(returned, names):
    """What a student's function returned, as a tuple of functions; `names` are theirs.

    An object that has them as attributes, as the lecture's `Autoencoder`, will do as well.
    """
    if returned is None:
        raise Wrong("it returned None: is a `return` missing?")
    if len(names) == 1:
        found = (returned,)
    elif all(hasattr(returned, name) for name in names):
        found = tuple(getattr(returned, name) for name in names)
    elif isinstance(returned, tuple | list) and len(returned) == len(names):
        found = tuple(returned)
    else:
        kind = type(returned).__name__
        raise Wrong(
            f"it returned a {kind}; the exercise asks for {' and '.join(names)}, in this order"
        )
    for name, function in zip(names, found, strict=True):
        if not callable(function):
            raise Wrong(f"{name} must be a function or a network, and is {type(function).__name__}")
    return found


class Trained:
    """An encoder and a decoder that were built, tried on the test digits."""

    def __init__(self, returned, digits, latent_dim):
        self.encoder, self.decoder = functions(returned, ("encoder", "decoder"))
        self.digits = digits
        x, n = digits.x_test, len(digits.x_test)
        self.codes = called(self.encoder, x, (n, latent_dim), "the encoder")
        self.x_hat = self.decode(self.codes)
        self._refuse_neighbours()

    def encode(self, x):
        return called(self.encoder, x, (len(x), self.codes.shape[1]), "the encoder")

    def decode(self, codes):
        return called(self.decoder, codes, (len(codes), 64), "the decoder")

    def _refuse_neighbours(self):
        """Refuse codes that depend on other images, and a decoder that remembers the images."""
        if not mostly_close(self.decode(self.codes[::-1].copy()), self.x_hat[::-1]):
            raise Wrong(
                "the same codes in another order give other images: the decoder must use the code "
                "and nothing else"
            )
        few = self.encode(self.digits.x_test[:7])
        if not mostly_close(few, self.codes[:7]):
            raise Wrong(
                "the code of an image changes with the images beside it: look for a mean or a "
                "maximum taken along axis 0"
            )

    @property
    def error(self):
        return squared_error(self.digits.x_test, self.x_hat)

    @property
    def training_error(self):
        x = self.digits.x_train
        return squared_error(x, self.decode(self.encode(x)))

    @property
    def decoder_is_affine(self):
        return is_affine(self.decode, self.codes)

    def draw(self, title, more=()):
        """Show test digits, what comes back, and further rows (name, images)."""
        from lecture_utils.plotting import show_images

        rows = [("digit", self.digits.x_test), ("yours", self.x_hat), *more]
        show_images(
            [images[:SHOWN] for _, images in rows],
            [name for name, _ in rows],
            title,
            f"Rows of small digits, one below the other: {', '.join(name for name, _ in rows)}.",
        )


def mostly_close(a, b):
    """Whether nearly all rows agree, up to what float32 rounds; ties may be broken either way."""
    return np.mean(np.abs(a - b).max(axis=1) < 1e-3 * (1 + np.abs(b).max())) > 0.8


def is_affine(function, inputs):
    """Whether `function` maps a + b - c to f(a) + f(b) - f(c), for rows of `inputs`."""
    a, b, c = (inputs[start : start + 50] for start in (0, 50, 100))
    straight = function(a) + function(b) - function(c)
    size = np.abs(straight - straight.mean(axis=0)).max()
    return np.abs(function(a + b - c) - straight).max() <= 1e-3 * max(size, 1e-9)


def squared_error(x, x_hat):
    """Summed over the pixels, mean over the images."""
    return np.mean(np.sum((x - x_hat) ** 2, axis=1))


def pca_of(digits, k, x=None):
    """Reconstruction by k principal components of the training digits."""
    from lecture_utils.evaluation import pca_reconstruction

    return pca_reconstruction(digits.x_train, digits.x_test if x is None else x, k)


def why_no_better(trained, limit):
    """What explains an error above `limit`, as far as it can be measured."""
    if trained.x_hat.std(axis=0).max() < 1e-3:
        return "every image comes back as the same one, so the code says nothing: was it trained?"
    if trained.error > trained.digits.x_test.var(axis=0).sum():
        return "the mean image of all digits would do better: was it trained, and long enough?"
    if trained.decoder_is_affine:
        return (
            "the decoder is linear, and the best linear one is PCA: give it a hidden layer and "
            "a nonlinearity"
        )
    if trained.training_error < 0.85 * limit:
        return (
            "on the training digits the error is much smaller: it has learned them by heart; "
            "train for fewer epochs, or narrow the hidden layer"
        )
    return "train longer, with a larger rate, or widen the hidden layer"
