"""Exercises on the Jacobian of an encoder, and on a sensitivity that no rescaling makes smaller."""

import numpy as np
import torch
from torch import nn

from lecture_utils.autoencoders import reconstruction_loss
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    Trained,
    new_digits,
    pca_of,
    squared_error,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise, Wrong
from lecture_utils.training import fit


def layer_cases(rng):
    """By hand, then encoders whose units are partly at the flat ends of tanh."""
    small = [
        ([[2]], [0], [[3]], [[0]]),
        ([[1, 0], [1, 0]], [0, 0], [[1, 1]], [[0, 5]]),
        ([[1, 2]], [1], [[1], [2]], [[0, 0], [1, -1], [2, 1]]),
    ]
    cases = [tuple(np.array(part, dtype=float) for part in case) for case in small]
    cases.append(tuple(map(np.array, small[2])))  # whole numbers
    for n, d, hidden, k in ((4, 3, 5, 2), (5, 6, 4, 3)):
        sizes = ((hidden, d), hidden, (k, hidden), (n, d))
        cases.append(tuple(rng.normal(size=size) for size in sizes))
    return cases


def norms_by_complex_step(w, b, v, x):
    """Add a tiny imaginary number to one pixel after the other: the derivative is imaginary."""
    total = np.zeros(len(x))
    for step in 1e-30j * np.eye(x.shape[1]):
        derivative = (np.tanh((x + step) @ w.T + b) @ v.T).imag / 1e-30
        total += (derivative**2).sum(axis=1)
    return total


def norms_loop(w, b, v, x):
    """One example at a time: J as a product of three matrices, then the trace of J J^T."""
    norms = []
    for row in x:
        jacobian = v @ np.diag(1 / np.cosh(w @ row + b) ** 2) @ w
        norms.append(np.trace(jacobian @ jacobian.T))
    return norms


def slopes(w, b, x):
    return 1 - np.tanh(x @ w.T + b) ** 2


def jacobians(w, b, v, x):
    """Shape (n, k, d)."""
    return np.einsum("kj,nj,ji->nki", v, slopes(w, b, x), w)


def of_jacobians(formula):
    """Turn a formula in all Jacobians, shape (n, k, d), into an answer."""
    return lambda w, b, v, x: formula(jacobians(w, b, v, x))


def with_slopes(slope):
    """Turn another slope, given what enters tanh, into an answer."""

    def answer(w, b, v, x):
        return np.sum(np.einsum("kj,nj,ji->nki", v, slope(x @ w.T + b), w) ** 2, axis=(1, 2))

    return answer


def logistic(a):
    return 1 / (1 + np.exp(-a))


def squares(matrix, axis=None):
    return np.sum(matrix**2, axis=axis)


SIGMOID = "h(1 - h) is the slope of a sigmoid: that of tanh is 1 - h squared"
BEFORE_SQUARING = (
    "the entries of the Jacobian are summed before squaring: square each, then sum, or "
    "derivatives of opposite sign cancel"
)
ONE_AN_EXAMPLE = "this is one number for the whole batch: each example has a norm of its own"
CROSS_TERMS = (
    "the lecture's formula for one layer, with the norm of each unit's outgoing weights: the units "
    "meet again in the second layer, so multiply the matrices first, then square"
)

JACOBIAN_NORMS = Exercise(
    name="jacobian_norms",
    cases=layer_cases,
    oracle=lambda w, b, v, x: norms_by_complex_step(w, b, v, x),
    second_answer=norms_loop,
    mistakes=(
        (
            of_jacobians(lambda j: np.sqrt(squares(j, (1, 2)))),
            "this is the norm; the exercise asks for its square",
        ),
        (
            of_jacobians(lambda j: abs(j).sum(axis=(1, 2))),
            "these are absolute values: square each derivative",
        ),
        (with_slopes(lambda a: np.tanh(a) * (1 - np.tanh(a))), SIGMOID),
        (with_slopes(lambda a: logistic(a) * (1 - logistic(a))), SIGMOID),
        (
            with_slopes(lambda a: 1 - np.tanh(a)),
            "the slope of tanh is 1 - h squared: the square is missing",
        ),
        (
            with_slopes(lambda a: 1 - a**2),
            "the slope of tanh is 1 - h squared, with h = tanh(w x + b), not w x + b itself",
        ),
        (
            with_slopes(np.tanh),
            "this multiplies with tanh itself: the derivative needs its slope, 1 - h squared",
        ),
        (
            with_slopes(np.ones_like),
            "the slope of tanh is missing: this is the norm of v w, the same for all examples",
        ),
        (
            with_slopes(lambda a: np.sqrt(1 - np.tanh(a) ** 2)),
            "the slope is not squared: the Jacobian has the factor 1 - h squared, and its square "
            "has that factor squared",
        ),
        (of_jacobians(lambda j: j.sum(axis=(1, 2)) ** 2), BEFORE_SQUARING),
        (of_jacobians(lambda j: squares(j.sum(axis=1), 1)), BEFORE_SQUARING),
        (of_jacobians(lambda j: squares(j.sum(axis=2), 1)), BEFORE_SQUARING),
        (of_jacobians(lambda j: squares(j, (1, 2)).mean()), ONE_AN_EXAMPLE),
        (of_jacobians(lambda j: squares(j)), ONE_AN_EXAMPLE),
        (of_jacobians(lambda j: squares(j.mean(axis=0))), ONE_AN_EXAMPLE),
        (
            of_jacobians(lambda j: squares(j, (1, 2)) / len(j)),
            "this is divided by the number of examples: each example has a norm of its own",
        ),
        (
            of_jacobians(lambda j: np.mean(j**2, axis=(1, 2))),
            "this is the mean over the entries of the Jacobian: take the sum",
        ),
        (
            lambda w, b, v, x: slopes(w, b, x) ** 2 @ squares(w, 1),
            "this stops at the tanh units: the code is v times them",
        ),
        (
            lambda w, b, v, x: slopes(w, b, x) ** 2 @ (squares(w, 1) * squares(v, 0)),
            CROSS_TERMS,
        ),
        (
            lambda w, b, v, x: slopes(w, b, x) ** 2 @ squares(w, 1) * squares(v),
            "this is a product of two norms: the norm of a product is smaller, so multiply the "
            "matrices first, then square",
        ),
        (
            lambda w, b, v, x: squares(jacobians(w, 0, v, x), (1, 2)),
            "the bias b is forgotten: it decides where on the curve a unit is",
        ),
        (
            of_jacobians(lambda j: np.linalg.norm(j, 2, axis=(1, 2)) ** 2),
            "this is the largest singular value, squared: the Frobenius norm adds up all of them",
        ),
    ),
    hints=(
        "The chain rule: the Jacobian of the code is a product of three matrices. Which of them "
        "depend on the example?",
        "For one example J = v @ np.diag(1 - h**2) @ w with h = np.tanh(w @ x + b).",
        'All at once: np.einsum("kj,nj,ji->nki", v, 1 - h**2, w) with h = np.tanh(x @ w.T + b). '
        "Then square, and sum over the last two axes.",
    ),
)


def as_it_is(x):
    return x


def one_unit_small(x):
    return x * [1, 0.001]


def one_unit_tiny(x):
    return x * [1e7, 1e-7]


def above_three(x):
    return np.maximum(x - 3, 0)


def relu_encoder(w, b):
    return lambda x: np.maximum(x @ w + b, 0)


def encoder_cases(rng):
    """By hand, then ReLU units of different sizes; the last two codes hold a unit that is off."""
    small = np.array([[0.0, 0], [2, 4]]), np.array([[1.0, 1], [-1, 1]])
    # The second one is the first, rescaled: a small number added to a variance shows there.
    cases = [(as_it_is, *small), (one_unit_small, *small), (one_unit_tiny, *small)]
    # Only the noise turns the first unit on: over x it is off.
    woken = np.array([[0, 4], [1, 5], [2, 7]]), np.array([[5, 1], [4, -1], [-1, 2]])
    cases.append((above_three, *woken))
    for n, d, k, n_off in ((20, 4, 3, 0), (30, 5, 4, 1), (25, 6, 6, 2)):
        x = rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d)
        w = rng.normal(size=(d, k)) * rng.uniform(0.2, 3, k)
        b = rng.uniform(0.2, 1, k)
        b[:n_off] = -1_000
        cases.append((relu_encoder(w, b), x, rng.normal(size=(n, d))))
    return cases


def relative_by_moments(encoder, x, noise):
    """From plain moments, E[h^2] - E[h]^2, unit by unit."""
    codes, moved = encoder(x), encoder(x + noise)
    codes, moved = codes[:, codes.any(axis=0)], moved[:, codes.any(axis=0)]
    change = np.einsum("nj,nj->j", moved, moved - 2 * codes) + np.einsum("nj,nj->j", codes, codes)
    spread = np.einsum("nj,nj->j", codes, codes) - codes.sum(axis=0) ** 2 / len(codes)
    return (change / spread).sum() / len(spread)


def relative_loop(encoder, x, noise):
    ratios = []
    for unit, moved in zip(encoder(x).T, encoder(x + noise).T, strict=True):
        mean = sum(unit) / len(unit)
        spread = sum((value - mean) ** 2 for value in unit)
        if spread > 0:
            ratios.append(sum((moved - unit) ** 2) / spread)
    return sum(ratios) / len(ratios)


def of_units(formula):
    """Turn a formula in the codes of the units in use and their changes into an answer."""

    def answer(encoder, x, noise):
        codes = encoder(x)
        change = encoder(x + noise) - codes
        used = codes.var(axis=0) > 0
        return formula(codes[:, used], change[:, used])

    return answer


def ratios(codes, change):
    return np.mean(change**2, axis=0) / codes.var(axis=0)


def relative_with_zeros(encoder, x, noise):
    codes = encoder(x)
    ratio = ratios(codes, encoder(x + noise) - codes)
    return np.where(codes.var(axis=0) > 0, ratio, 0).mean()


def relative_with_nan(encoder, x, noise):
    codes = encoder(x)
    return ratios(codes, encoder(x + noise) - codes).mean()


def relative_with_nanmean(encoder, x, noise):
    codes = encoder(x)
    return np.nanmean(ratios(codes, encoder(x + noise) - codes))


def reported(encoder, x, noise):
    """The report's own line, with the units that are off for x."""
    codes = encoder(x)
    return ((encoder(x + noise) - codes) ** 2).mean(axis=0).sum() / codes.var(axis=0).sum()


def relative_of_moved(encoder, x, noise):
    """A unit counts as on when it is so with noise or without."""
    codes, moved = encoder(x), encoder(x + noise)
    used = (codes + moved).any(axis=0)
    return ratios(codes[:, used], (moved - codes)[:, used]).mean()


WOKEN = (
    "a unit that is off for all of x, and that noise turns on, gives infinity: leave out every "
    "unit that is off for x, whatever the noise does"
)


ONE_MEAN = "your mean is one number for all units: each unit has a mean of its own, axis=0"
REPORTED = (
    "this is the report's number, a ratio of two sums: making the noisy units small makes it "
    "small; divide unit by unit, then average"
)

RELATIVE_SENSITIVITY = Exercise(
    name="relative_sensitivity",
    cases=encoder_cases,
    oracle=lambda encoder, x, noise: relative_by_moments(encoder, x, noise),
    second_answer=relative_loop,
    mistakes=(
        (
            of_units(lambda codes, change: np.mean(change**2, axis=0).sum() / codes.var(0).sum()),
            REPORTED,
        ),
        (reported, REPORTED),
        (
            of_units(lambda codes, change: np.sum(change**2) / np.sum((codes - codes.mean()) ** 2)),
            f"{REPORTED}. And {ONE_MEAN}",
        ),
        (
            relative_with_nan,
            "NaN comes from units that are off for all of x, zero divided by zero: leave them out",
        ),
        (relative_with_nanmean, WOKEN),
        (relative_of_moved, WOKEN),
        (
            relative_with_zeros,
            "units that are off for all of x count as perfectly insensitive here: leave them out, "
            "of the sum and of the number of units",
        ),
        (
            of_units(lambda codes, change: ratios(codes, change).sum()),
            "this is the sum over the units: take their mean",
        ),
        (
            of_units(lambda codes, change: ratios(codes, change)),
            "this is one number for each unit; the exercise asks for their mean",
        ),
        (
            of_units(lambda codes, change: np.sum(change**2, axis=0) / codes.var(axis=0)),
            "one number for each unit, and the change is a sum over examples: take means of both",
        ),
        (
            of_units(lambda codes, change: (np.sum(change**2, 0) / codes.var(axis=0)).mean()),
            "the change is summed over the examples, the variance is a mean: treat both alike",
        ),
        (
            of_units(lambda codes, change: ratios(codes, change).mean() * (1 - 1 / len(codes))),
            "nearly: the change is divided by n, so divide the variance by n, not by n - 1",
        ),
        (
            of_units(
                lambda codes, change: np.mean(np.mean(change**2, 0) / np.mean(codes**2, axis=0))
            ),
            "this spread is about zero: a unit that is large and hardly varies says little, so "
            "subtract its mean first",
        ),
        (
            of_units(
                lambda codes, change: np.mean(
                    np.mean(change**2, 0) / np.mean((codes - codes.mean()) ** 2, axis=0)
                )
            ),
            ONE_MEAN,
        ),
        (
            of_units(lambda codes, change: np.mean(np.mean(change**2, axis=0)) / codes.var()),
            f"{REPORTED}. And {ONE_MEAN}",
        ),
        (
            of_units(lambda codes, change: np.mean(change.var(axis=0) / codes.var(axis=0))),
            "the mean change was taken out: a code that moves as a whole has moved, too",
        ),
        (
            of_units(lambda codes, change: np.mean(np.sqrt(ratios(codes, change)))),
            "these are ratios of standard deviations: leave them squared, as the lecture does",
        ),
        (
            of_units(lambda codes, change: np.sqrt(ratios(codes, change).mean())),
            "this is the root of the right answer: leave it squared, as the lecture does",
        ),
        (
            of_units(lambda codes, change: np.mean(abs(change).mean(0) / codes.std(axis=0))),
            "these are absolute changes: take their squares",
        ),
        (
            of_units(lambda codes, change: np.mean(1 / ratios(codes, change))),
            "this is upside down: noise in the unit, divided by its spread",
        ),
        (
            of_units(lambda codes, change: np.mean(change**2, axis=0).sum()),
            "this is the plain sensitivity, which a small code makes small: divide by the spread",
        ),
        (
            of_units(lambda codes, change: np.mean(change**2)),
            "this is the plain sensitivity, which a small code makes small: divide by the spread",
        ),
        (
            of_units(lambda codes, change: ratios(codes + change, change).mean()),
            "this is the spread of the noisy codes: take that of the clean ones",
        ),
        (
            of_units(lambda codes, change: np.mean(np.sum(change**2, 1) / codes.var(axis=0).sum())),
            REPORTED,
        ),
        (
            lambda encoder, x, noise: np.mean(
                np.mean(encoder(noise) ** 2, axis=0)[encoder(x).any(axis=0)]
                / encoder(x).var(axis=0)[encoder(x).any(axis=0)]
            ),
            "this is the code of the noise; the exercise asks for the change, from the code of x "
            "to that of x + noise",
        ),
    ),
    hints=(
        "Which number does not change when one unit is divided by ten, and what the decoder does "
        "with it multiplied by ten?",
        "For each unit: the mean square of its change, divided by its variance, both along axis 0. "
        "A unit that is off for all examples has variance 0.",
        "With codes = encoder(x) and change = encoder(x + noise) - codes: take "
        "(change**2).mean(axis=0) / codes.var(axis=0) where the variance is above 0, and the mean "
        "of that.",
    ),
)


def steady_trial(build, rng):
    """64 numbers that may not simply copy: error and sensitivity against PCA's with eight."""
    digits = new_digits(rng)
    trained = Trained(build(tensor(digits.x_train)), digits, None)
    if trained.codes.shape[1] < 64:
        raise Wrong(f"the code has {trained.codes.shape[1]} numbers: at least 64 are asked for")
    pca = squared_error(digits.x_test, pca_of(digits, 8))
    moved = sensitivity(lambda x: trained.decode(trained.encode(x)), digits.x_test, rng)
    numbers = f"error {trained.error:.2f} (PCA {pca:.2f}), sensitivity {moved:.1f} (PCA 8.0)"
    return Outcome(
        steady_fault(trained, pca, moved, numbers, rng),
        lambda: trained.draw(numbers, noisy_rows(trained, rng)),
    )


def sensitivity(function, x, rng, step=1e-2, draws=8):
    """The squared norm of the Jacobian, averaged: the change under small noise, per variance."""
    total = 0
    for _ in range(draws):
        noise = step * rng.normal(size=x.shape)
        total += squared_error(function(x + noise), function(x - noise)) / (2 * step) ** 2
    return total / draws


def noisy_rows(trained, rng):
    noisy = trained.digits.x_test + 0.2 * rng.normal(size=trained.digits.x_test.shape)
    return [("with noise", noisy), ("yours", trained.decode(trained.encode(noisy)))]


def steady_fault(trained, pca, moved, numbers, rng):
    if trained.error > pca:
        if trained.x_hat.std(axis=0).max() < 1e-3:
            return f"{numbers}: every image comes back as the same one, which is steady and useless"
        if moved <= 6:
            return f"{numbers}: steady, but the error is above PCA's: make the penalty lighter"
        return f"{numbers}: both are too large: was it trained, and long enough?"
    if moved > 6:
        code = sensitivity(trained.encode, trained.digits.x_test, rng)
        if code < 1:
            return (
                f"{numbers}: that of the code is {code:.2f}, but the decoder undoes it, and the "
                "reconstruction moves: penalise what comes out, or tie the weights"
            )
        return f"{numbers}, at most 6 will do: shrink or penalise more"
    return None


def sigmoid_layer(penalty, weight, epochs=80, tied=True, shrink=1):
    """An answer with 64 sigmoid units; `penalty` takes the model and a batch."""

    def build(x_train):
        model = SigmoidAutoencoder(tied, shrink)
        fit(
            model,
            lambda m, x: reconstruction_loss(m, x) + weight * penalty(m, x),
            x_train,
            epochs,
            max_lr=1e-2,
        )
        return model.encoder, model.decoder

    return build


class SigmoidAutoencoder(nn.Module):
    """One sigmoid layer; the decoder has its transpose, or weights of its own."""

    def __init__(self, tied, shrink=1):
        super().__init__()
        self.layer, self.offset = nn.Linear(64, 64), nn.Parameter(torch.zeros(64))
        self.free = None if tied else nn.Linear(64, 64)
        self.shrink = shrink

    def encoder(self, x):
        return torch.sigmoid(self.layer(x)) / self.shrink

    def decoder(self, h):
        if self.free:
            return self.free(h * self.shrink)
        return h * self.shrink @ self.layer.weight + self.offset

    def forward(self, x):
        return self.decoder(self.encoder(x))


def of_code(model, x):
    """The squared norm of the Jacobian of a sigmoid layer, as in the lecture."""
    h = model.encoder(x)
    return ((h * (1 - h)) ** 2 @ (model.layer.weight**2).sum(1)).mean()


def of_reconstruction(model, x):
    """That of the reconstruction, by one random direction an image."""
    x = x.clone().requires_grad_()
    direction = torch.randn_like(x)
    (gradient,) = torch.autograd.grad((model(x) * direction).sum(), x, create_graph=True)
    return (gradient**2).sum(1).mean()


def shrinking_pca(x_train):
    """No training: each principal component is made smaller, the weaker ones more."""
    x = x_train.numpy().astype(float)
    mean = x.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(x.T))
    gains = values.clip(0) / (values.clip(0) + 0.2)

    def encode(x):
        return (x.numpy() - mean) @ directions * gains

    return encode, lambda h: h.numpy() @ directions.T + mean


def no_penalty(model, x):
    return 0 * x.sum()


STEADY_CODE = Building(
    name="steady_code",
    trial=steady_trial,
    parameters=["x_train"],
    second_answer=shrinking_pca,
    mistakes=(
        (sigmoid_layer(no_penalty, 0), "shrink or penalise more"),
        (sigmoid_layer(of_code, 0.05), "shrink or penalise more"),
        (sigmoid_layer(of_code, 30), "lighter|useless"),
        (sigmoid_layer(no_penalty, 0, shrink=100), "the decoder undoes it"),
        (sigmoid_layer(lambda m, x: m.encoder(x).pow(2).sum(1).mean(), 0.001), "penalise more"),
        (sigmoid_layer(of_code, 1, epochs=2), "lighter|trained|useless"),
        (
            lambda x_train: (nn.Linear(64, 8), nn.Linear(8, 64)),
            "the code has 8 numbers: at least 64",
        ),
        (lambda x_train: (nn.Identity(), nn.Identity()), "penalise more"),
    ),
    hints=(
        "A code as wide as the image could copy, with a sensitivity of 64. What must be added to "
        "the loss so that copying costs?",
        "For h = sigmoid(W x + b) the squared norm of the Jacobian is the sum over the units of "
        "(h (1 - h))^2 times the squared norm of the unit's row of W. Let the decoder use W.T, or "
        "it undoes what the encoder does.",
        "loss = error + 1.0 * ((h * (1 - h)) ** 2 @ (W ** 2).sum(1)).mean(), with h the code of "
        "the batch and the reconstruction h @ W + c; `fit` with 80 epochs and max_lr=1e-2.",
    ),
)

EXERCISES = (JACOBIAN_NORMS, RELATIVE_SENSITIVITY, STEADY_CODE)
