"""Exercises on fitting a Gaussian to a target: forward by hand, reverse by search."""

import math

import numpy as np
from scipy.special import logsumexp

from lecture_utils.exercises.exercise import Exercise


def log_bumps(x, weight, mean, std):
    """Log-density of a mixture of Gaussians, along the last axis."""
    z = (x[:, None] - mean) / std
    return logsumexp(np.log(weight / std / np.sqrt(2 * np.pi)) - z**2 / 2, axis=1)


def forward_fit_cases(rng):
    fixed = [
        (np.array([0.5, 0.5]), np.array([-2.0, 4.0]), np.array([4.0, 4.0])),
        (np.array([0.4, 0.6]), np.array([0.0, 3.0]), np.array([0.5, 2.0])),
        (np.array([1.0]), np.array([3]), np.array([2])),
        (np.array([1.0, 0.0]), np.array([-1, 5]), np.array([1, 3])),
        (np.array([0.3, 0.7]), np.array([2.0, 2.0]), np.array([1.0, 3.0])),
        (np.array([0.3, 0.7]), np.array([-3e-5, 2e-5]), np.array([1e-5, 4e-5])),
        (np.array([0.3, 0.7]), np.array([-900.0, 2000.0]), np.array([10.0, 400.0])),
    ]
    for n in (2, 3, 5):
        weight = rng.dirichlet(np.full(n, 3.0))
        fixed.append((weight, np.sort(rng.uniform(-4, 4, n)), rng.uniform(0.3, 2, n)))
    return fixed


def moments_of_pairs(weight, mean, std):
    """The spread of the means, as a sum over the pairs of bumps."""
    gaps = np.outer(weight, weight) * np.subtract.outer(mean, mean) ** 2
    return np.dot(weight, mean), np.sqrt(weight @ np.square(std) + gaps.sum() / 2)


def moments_loop(weight, mean, std):
    first = sum(w * m for w, m in zip(weight, mean, strict=True))
    second = sum(w * (m * m + s * s) for w, m, s in zip(weight, mean, std, strict=True))
    return first, math.sqrt(second - first**2)


def with_std(formula):
    """The right mean, and a standard deviation by a formula in weight, distance and std."""
    return lambda weight, mean, std: (weight @ mean, formula(weight, mean - weight @ mean, std))


def one_bump(score):
    """Mean and standard deviation of the bump with the highest score."""
    return lambda weight, mean, std: (mean[i := np.argmax(score(weight, std))], std[i])


def all_alike(weight, mean, std):
    return moments_loop(np.full(len(weight), 1 / len(weight)), mean, std)


FORWARD_FIT = Exercise(
    name="forward_fit",
    cases=forward_fit_cases,
    oracle=moments_of_pairs,
    second_answer=moments_loop,
    mistakes=(
        (
            one_bump(lambda weight, std: weight),
            "this is the heaviest bump, as a reverse fit may be: a forward fit covers all",
        ),
        (
            one_bump(lambda weight, std: weight / std),
            "this is the highest bump alone: a forward fit covers all",
        ),
        (
            with_std(lambda weight, d, std: weight @ std),
            "your std is the mean of the stds: average variances, and add the spread of the means",
        ),
        (
            with_std(lambda weight, d, std: np.sqrt(weight @ std**2)),
            "your std knows the bumps' widths, but not that they lie apart: add the spread of the "
            "means to the variance",
        ),
        (
            with_std(lambda weight, d, std: np.sqrt(weight @ d**2)),
            "your std knows how far the bumps lie apart, but not that they have a width",
        ),
        (
            with_std(lambda weight, d, std: np.sqrt(weight @ std**2) + np.sqrt(weight @ d**2)),
            "standard deviations do not add: variances do",
        ),
        (
            with_std(lambda weight, d, std: np.sqrt(weight @ (std + d**2))),
            "the bumps' stds are not squared under the root",
        ),
        (
            with_std(lambda weight, d, std: weight @ (std**2 + d**2)),
            "your std is the variance: take the square root",
        ),
        (
            with_std(lambda weight, d, std: np.log(weight @ (std**2 + d**2)) / 2),
            "your std is its logarithm: return the standard deviation itself",
        ),
        (
            with_std(lambda weight, d, std: np.sqrt(weight**2 @ std**2)),
            "this is the std of a weighted sum: a sample of a mixture comes from one bump",
        ),
        (
            lambda weight, mean, std: (weight @ mean, np.sqrt(weight @ (std**2 + mean**2))),
            "your std is measured from zero: measure it from the mean of the mixture",
        ),
        (all_alike, "all bumps count alike: use their weights"),
    ),
    hints=(
        "The forward fit needs two numbers about the target. Which ones?",
        "It has the target's mean and variance. A square averages over the bumps like everything "
        "else: within a bump, the mean of (x - c)^2 is its variance plus (its mean - c)^2.",
        "With centre = sum of weight * mean, the variance is the sum of weight * (std^2 + (mean - "
        "centre)^2).",
    ),
    absolute=1e-13,
    discovery="two narrow bumps, moved further and further apart: what is the target's density at "
    "the mean of the fit?",
)

X = np.linspace(-10, 10, 401)


def target(weight, mean, std):
    return log_bumps(X, *map(np.array, (weight, mean, std))), X


REPORTED = target((0.7, 0.3), (-2.0, 1.5), (0.9, 0.3))


def reverse_fit_cases(rng):
    """One bump; of two, the heavy one wide or narrow, left or right; two close, two far.

    From a wide start one gets into the wide bump, from a narrow one into the narrow bump: no one
    start is right for all, and no two. And of two that are far the lighter one may have the higher
    peak.
    """
    cases = [
        REPORTED,
        target((0.7, 0.3), (-2.0, 1.5), (0.3, 0.9)),
        target((0.3, 0.7), (-2.0, 1.5), (0.9, 0.3)),
        target((0.55, 0.45), (-3.8, 3.8), (0.5, 0.35)),
        target((0.45, 0.55), (-3.8, 3.8), (0.35, 0.5)),
        target((1.0,), (3.7,), (0.25,)),
    ]
    side = rng.choice([-1, 1])
    means = side * rng.uniform((1.8, -2.2), (2.2, -1.8))
    cases.append(target((0.6, 0.4), means, rng.uniform((0.25, 0.9), (0.3, 1.1))))
    middle, half = rng.uniform(0.5, 2), rng.uniform(0.7, 0.9)
    cases.append(target((0.6, 0.4), (middle - half, middle + half), (0.6, 0.6)))
    away = rng.choice([-1, 1]) * rng.uniform(3, 3.4)
    return [*cases, target((0.57, 0.43), (away, -away), (1.0, 0.6))]


def reverse_kl(mean, log_std, log_p, x):
    """KL(Q||P) for arrays of means and log standard deviations."""
    z = (x - np.asarray(mean)[..., None]) / np.exp(log_std)[..., None]
    q = np.exp(-(z**2) / 2)
    return -log_std - np.log(2 * np.pi * np.e) / 2 - q @ log_p / q.sum(axis=-1)


_known_minima = {}  # the same targets are asked for again and again


def minima(log_p, x):
    """All minima of the reverse KL, the best one first: [(mean, std)].

    Every point of a grid that is lower than its neighbours, refined on finer and finer grids.
    """
    key = log_p.tobytes()
    if key not in _known_minima:
        means, log_stds = np.linspace(-5, 5, 41), np.linspace(-2, 1.4, 18)
        kl = reverse_kl(*np.meshgrid(means, log_stds, indexing="ij"), log_p, x)
        inner = kl[1:-1, 1:-1]
        shifted = [kl[i : i + 39, j : j + 16] for i in range(3) for j in range(3)]
        places = np.argwhere(np.all([inner <= other for other in shifted], axis=0)) + 1
        found = [refined(means[i], log_stds[j], log_p, x) for i, j in places]
        _known_minima[key] = [(mean, np.exp(log_std)) for _, mean, log_std in sorted(found)]
    return _known_minima[key]


def refined(mean, log_std, log_p, x, step=0.25):
    around = np.array([-1, -0.5, 0, 0.5, 1])
    while step > 1e-6:
        means, log_stds = np.meshgrid(mean + step * around, log_std + step * around)
        kl = reverse_kl(means, log_stds, log_p, x)
        lowest = np.argmin(kl)
        mean, log_std = means.flat[lowest], log_stds.flat[lowest]
        step /= 2
    return kl.min(), mean, log_std


def natural_steps(log_p, x):
    """Damped Newton steps on the mean and the precision, from twelve starts at once."""
    mean, precision = np.repeat(np.linspace(-4, 4, 6), 2), np.tile([1.0, 6.0], 6)
    for _ in range(120):
        d = x - mean[:, None]
        q = np.exp(-precision[:, None] * d**2 / 2)
        q /= q.sum(axis=1, keepdims=True)
        slope = precision * ((q * d) @ log_p)
        curvature = precision * ((q * (precision[:, None] * d**2 - 1)) @ log_p)
        precision = np.clip(0.7 * precision - 0.3 * curvature, 0.05, 90)
        mean = np.clip(mean + 0.3 * slope / precision, -8, 8)
    best = np.argmin(reverse_kl(mean, -np.log(precision) / 2, log_p, x))
    return mean[best], precision[best] ** -0.5


def is_some_minimum(log_p, x, answer):
    """Whether no Gaussian close to the answer has a smaller KL."""
    mean, std = map(float, answer)
    around = np.array([-0.03, 0, 0.03])
    means, log_stds = np.meshgrid(mean + around, np.log(std) + around)
    return np.argmin(reverse_kl(means, log_stds, log_p, x)) == around.size**2 // 2


def moments(log_p, x):
    p = np.exp(log_p) / np.exp(log_p).sum()
    return p @ x, np.sqrt(p @ (x - p @ x) ** 2)


def at_the_peak(log_p, x):
    """A Gaussian on the target's highest peak, as curved as the target is there."""
    i = np.argmax(log_p)
    curvature = (log_p[i - 1] - 2 * log_p[i] + log_p[i + 1]) / (x[1] - x[0]) ** 2
    return x[i], 1 / np.sqrt(-curvature)


BEST_REVERSE_FIT = Exercise(
    name="best_reverse_fit",
    cases=reverse_fit_cases,
    oracle=lambda log_p, x: minima(log_p, x)[0],
    second_answer=natural_steps,
    tolerance=5e-3,
    seconds=20,
    recognised=(
        (
            is_some_minimum,
            "for one target or more this is a minimum, but not the best one: start at several "
            "means, left and right, and keep the fit with the smallest KL",
        ),
    ),
    mistakes=(
        (moments, "this is the forward fit: KL(Q||P) averages over Q"),
        (
            at_the_peak,
            "this sits on the highest peak, as the report's curve does: the KL decides, not height",
        ),
        (
            lambda log_p, x: (minima(log_p, x)[0][0], np.log(minima(log_p, x)[0][1])),
            "the second value is the logarithm of std: return np.exp of it",
        ),
        (
            lambda log_p, x: (minima(log_p, x)[0][0], minima(log_p, x)[0][1] ** 2),
            "the second value is the variance: return the standard deviation",
        ),
    ),
    hints=(
        "Which other curve would you draw? Print its reverse_kl beside that of the report.",
        "Minimise over the pair (mean, log of std), from starts such as means -4, -2, 0, 2, 4, and "
        "compare the values `fit.fun` that you get.",
        "fits = [minimize(kl, start, bounds=...) for start in starts], with kl a function of one "
        "pair; min(fits, key=lambda fit: fit.fun) is the best. Return its mean and np.exp of the "
        "other.",
    ),
    discovery="two narrow bumps of weights w and 1 - w, far apart: compare the best KL with "
    "-np.log of the larger weight.",
)

EXERCISES = (FORWARD_FIT, BEST_REVERSE_FIT)
