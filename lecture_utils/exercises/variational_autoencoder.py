"""Exercises on the ELBO of single examples, and on the variance that two means together assume."""

import math

import numpy as np
import torch
from scipy.linalg import ldl
from torch import nn

from lecture_utils.autoencoders import VariationalAutoencoder, mlp, reparameterize
from lecture_utils.divergences import kl_divergence_gaussian_1d
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    called,
    functions,
    new_digits,
    squared_error,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise, Wrong
from lecture_utils.training import fit


def coded_cases(rng):
    """By hand, with variances that leave no constant, then examples of various sizes."""
    no_constant = 1 / (2 * np.pi)
    cases = [
        (
            np.array([[0.3, 0.5]]),
            np.array([[0.3, 0.5]]),
            np.array([[1.0, -1.0]]),
            np.zeros((1, 2)),
            np.full(2, no_constant),
        ),
        (  # whole numbers, little noise
            np.array([[1, 0, 2]]),
            np.array([[1, 0, 2]]) + 1e-3,
            np.array([[2], [0]])[:1],
            np.array([[-3]]),
            np.array([1e-4, 1, 4e4]),
        ),
    ]
    for n, d, latent_dim in ((3, 2, 2), (4, 6, 3), (5, 3, 4)):
        x = rng.uniform(0, 1, (n, d))
        x_hat = x + rng.normal(0, 0.4, (n, d))
        mean, log_var = rng.normal(size=(2, n, latent_dim))
        if n == 3:
            log_var = abs(log_var)  # its logarithm is a number, which tells mistakes apart
        cases.append((x, x_hat, mean, log_var, rng.uniform(0.05, 0.5, d)))
    return cases


def log_normal(x, mean, std):
    return -(((x - mean) / std) ** 2) / 2 - np.log(math.sqrt(2 * math.pi) * std)


def elbo_by_densities(x, x_hat, mean, log_var, variance):
    """From densities alone: log q(z) - log p(z) is a parabola, so two points give its mean."""
    std = np.exp(log_var / 2)
    log_likelihood = log_normal(x, x_hat, np.sqrt(variance)).sum(axis=1)
    for z in (mean - std, mean + std):
        log_likelihood += (log_normal(z, 0, 1) - log_normal(z, mean, std)).sum(axis=1) / 2
    return log_likelihood


def elbo_loop(x, x_hat, mean, log_var, variance):
    """Number by number, and the KL of each latent by the library's formula."""
    values = []
    for row in range(len(x)):
        value = 0
        for a, b, v in zip(x[row], x_hat[row], variance, strict=True):
            value -= (a - b) ** 2 / (2 * v) + math.log(2 * math.pi * v) / 2
        for m, log_v in zip(mean[row], log_var[row], strict=True):
            value -= kl_divergence_gaussian_1d(m, math.exp(log_v / 2), 0, 1)
        values.append(value)
    return values


def kl(mean, log_var):
    return (mean**2 + np.exp(log_var) - 1 - log_var) / 2  # of each latent


def log_likelihood(r, variance):
    return -(r**2) / (2 * variance) - np.log(2 * np.pi * variance) / 2  # of each pixel


def with_kl(paid):
    """Turn another rule for what is paid for the code, from the KL or not, into an answer."""
    return lambda x, x_hat, mean, log_var, variance: (
        log_likelihood(x - x_hat, variance).sum(axis=1) - paid(mean, log_var)
    )


def with_kl_each(rule):
    """Turn another KL of each latent into an answer."""
    return with_kl(lambda mean, log_var: rule(mean, log_var).sum(axis=1))


def with_pixels(rule):
    """Turn another log-likelihood of each pixel into an answer."""
    return lambda x, x_hat, mean, log_var, variance: (
        rule(x - x_hat, variance).sum(axis=1) - kl(mean, log_var).sum(axis=1)
    )


def finished(rule):
    """Turn something done to the right answer into an answer."""
    return lambda *case: rule(elbo_by_densities(*case))


AS_STD = "log_var is taken for the standard deviation: it is the logarithm of its square"
HALF = "a half belongs to the logarithm of the variance, as to the squared error"
NO_VARIANCE = "the squared error is not divided by 2 variance: the variance is dropped"

ELBO_OF_EACH = Exercise(
    name="elbo_of_each",
    cases=coded_cases,
    oracle=lambda x, x_hat, mean, log_var, variance: elbo_by_densities(
        x, x_hat, mean, log_var, variance
    ),
    second_answer=elbo_loop,
    mistakes=(
        (
            with_kl(lambda mean, log_var: kl(mean, log_var).mean(axis=1)),
            "the KL is averaged over the latents, which is a hidden beta of 1 over their number: "
            "add it up",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) - np.log(2 * np.pi * variance) / 2),
            NO_VARIANCE,
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / 2 - np.log(2 * np.pi * variance) / 2),
            NO_VARIANCE,
        ),
        (
            with_pixels(lambda r, variance: -(r**2)),
            "this is the bare squared error, which assumes a variance of one half: use `variance`, "
            "also in the constant",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / 2 - math.log(2 * math.pi) / 2),
            "this assumes a variance of 1: use `variance`",
        ),
        (
            with_kl_each(lambda mean, log_var: (mean**2 + log_var**2 - 1 - np.log(log_var**2)) / 2),
            AS_STD,
        ),
        (
            with_kl_each(
                lambda mean, log_var: (mean**2 + log_var**2 - 1 - 2 * np.log(log_var)) / 2
            ),
            AS_STD,
        ),
        (
            with_kl_each(lambda mean, log_var: (mean**2 + log_var - 1 - np.log(log_var)) / 2),
            "log_var is taken for the variance: it is the logarithm of it",
        ),
        (
            with_kl_each(lambda mean, log_var: kl(mean, 2 * log_var)),
            "log_var is taken for the logarithm of the standard deviation: it is that of the "
            "variance, so exp(log_var) is not squared",
        ),
        (
            with_kl_each(lambda mean, log_var: -kl(mean, log_var)),
            "the sign of the KL is flipped: it is subtracted, a code far from the prior costs",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / (2 * variance)),
            "the constant is forgotten: with several variances it matters, "
            "log(2 pi variance) / 2 for each pixel",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / (2 * variance) - np.log(variance) / 2),
            "the 2 pi is forgotten: the constant of a pixel is log(2 pi variance) / 2",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / (2 * variance) - math.log(2 * math.pi) / 2),
            "the constant lacks the variance: it is log(2 pi variance) / 2 for each pixel",
        ),
        (
            with_pixels(
                lambda r, variance: -(r**2) / (2 * variance) + np.log(2 * np.pi * variance) / 2
            ),
            "the sign of the constant is flipped: the wider the noise, the lower the density",
        ),
        (
            with_pixels(
                lambda r, variance: -(r**2) / (2 * variance) - np.log(2 * np.pi * variance)
            ),
            HALF,
        ),
        (
            with_pixels(lambda r, variance: 2 * log_likelihood(r, variance)),
            "the halves of the log-likelihood are missing: -r^2 / (2 variance) "
            "- log(2 pi variance) / 2 for each pixel",
        ),
        (
            with_pixels(lambda r, variance: -(r**2) / variance - np.log(2 * np.pi * variance) / 2),
            "the 2 is missing: the squared error is divided by 2 variance",
        ),
        (
            with_pixels(lambda r, variance: log_likelihood(r, variance**2)),
            "the variance is squared: it is no standard deviation",
        ),
        (
            with_pixels(lambda r, variance: log_likelihood(r, np.sqrt(variance))),
            "the root of the variance is taken where the variance itself belongs",
        ),
        (
            with_pixels(lambda r, variance: log_likelihood(r, variance.mean())),
            "all pixels get the mean variance: each has one of its own",
        ),
        (
            with_pixels(lambda r, variance: log_likelihood(r, variance) / r.shape[1]),
            "the log-likelihood is averaged over the pixels: add it up, as the KL over latents",
        ),
        (
            with_pixels(
                lambda r, variance: (
                    -(r**2) / (2 * variance) / r.shape[1] - np.log(2 * np.pi * variance) / 2
                )
            ),
            "the squared error is averaged over the pixels: add it up, as the KL over latents",
        ),
        (
            lambda x, x_hat, mean, log_var, variance: (
                log_likelihood(x - x_hat, variance).mean(axis=1) - kl(mean, log_var).mean(axis=1)
            ),
            "both parts are averaged over their dimensions, and these are not equally many: add up",
        ),
        (
            with_kl(lambda mean, log_var: 0),
            "this is the reconstruction part alone: subtract the KL",
        ),
        (
            lambda x, x_hat, mean, log_var, variance: -kl(mean, log_var).sum(axis=1),
            "this is the KL part alone: add the log-likelihood",
        ),
        (
            with_kl_each(lambda mean, log_var: 2 * kl(mean, log_var)),
            "the half in front of the KL is missing",
        ),
        (
            with_kl_each(lambda mean, log_var: kl(mean, log_var) + 0.5),
            "the -1 in the KL is missing: without it a code that is the prior would cost, too",
        ),
        (
            with_kl_each(lambda mean, log_var: (mean**2 + np.exp(log_var) - 1) / 2),
            "the KL lacks the logarithm: without it a code of no width would be the cheapest",
        ),
        (
            with_kl_each(lambda mean, log_var: (mean**2 + np.exp(log_var) - 1 + log_var) / 2),
            "the sign of log_var in the KL is flipped: without spread the KL is infinite",
        ),
        (
            with_kl_each(lambda mean, log_var: ((1 + mean**2) / np.exp(log_var) - 1 + log_var) / 2),
            "this is the KL of the prior from q; the exercise asks for that of q from the prior",
        ),
        (finished(lambda elbo: elbo / math.log(2)), "this is the ELBO in bits: give it in nats"),
        (finished(lambda elbo: -elbo), "this is the loss: the ELBO is its negative"),
        (
            finished(lambda elbo: elbo.mean()),
            "this is the mean over the examples; the exercise asks for a number for each",
        ),
        (
            finished(lambda elbo: elbo.sum()),
            "this is the sum over the examples; the exercise asks for a number for each",
        ),
    ),
    hints=(
        "A sum over the pixels, minus a sum over the latents, and both in nats. What is the "
        "log-density of one pixel, when its noise has a variance of its own?",
        "The log-density of a pixel is that of a Gaussian: -(x - x_hat)^2 / (2 variance) minus "
        "log(2 pi variance) / 2. Arrays of shapes (n, d) and (d,) go together as they are.",
        "Sum -(x - x_hat)**2 / (2 * variance) - np.log(2 * np.pi * variance) / 2 along axis 1. "
        "Subtract half the sum of mean**2 + np.exp(log_var) - 1 - log_var along axis 1. This KL "
        "has a formula: nothing is drawn.",
    ),
)


def data_with(rng, eigenvalues, n):
    """Off-centre data whose covariance has exactly these eigenvalues, in no pixel's direction."""
    d = len(eigenvalues)
    centred = rng.normal(size=(n, d))
    scores = np.linalg.qr(centred - centred.mean(axis=0))[0]  # columns stay centred
    mirror = np.eye(d) - 2 / d  # an orthogonal matrix
    return scores * np.sqrt(n * np.array(eigenvalues)) @ mirror + rng.uniform(1, 1.5, d)


def report_cases(rng):
    """By hand, then spectra that tell one line from another, and one cut short by latent_dim."""
    cases = [
        (np.array([[2.0, 0], [-2, 0]]), 2, 1.0),
        (np.array([[3.0, 1, 0], [3, -1, 0]]), 3, 0.25),
        (np.array([[4.0, 1, 0], [4, -1, 0], [-2, 1, 0], [-2, -1, 0]]), 1, 0.5),
        (np.array([[0.0, 1], [0, 1], [0, 1], [4, 1]]), 2, 7.0),  # skewed: centre by the mean
    ]
    spectra = (
        ((4, 2.5, 1.7, 1.3, 0.94, 0.01), 8, 0.06),  # the fifth is below by less than n / (n - 1)
        ((9, 0.36, 0.26, 0.1, 0.05, 0.02), 4, 0.3),
        ((4, 2, 1.7, 1.3, 0.85, 0.6), 8, 100),  # where units are large, roots are small
        ((9, 5, 4, 3, 2, 0.2), 3, 0.1),
    )
    for spectrum, latent_dim, kl_weight in spectra:
        kl_weight *= rng.uniform(0.9, 1.1)
        line = variance_by_curvature(6, latent_dim, kl_weight)
        cases.append((data_with(rng, line * np.array(spectrum), 12), latent_dim, kl_weight))
    return cases


def variance_by_curvature(d, latent_dim, kl_weight):
    """As in the lecture, ask the loss itself: what one nat costs, over its second derivative."""

    def loss(errors, kl):
        return np.mean(errors**2) + kl_weight * np.mean(kl)

    off, one, nothing = np.zeros(d), np.eye(d)[0], np.zeros(latent_dim)
    curvature = loss(one, nothing) - 2 * loss(off, nothing) + loss(-one, nothing)
    return loss(off, np.eye(latent_dim)[0]) / curvature


def active_by_svd(x, latent_dim, kl_weight):
    """By the singular values of the centred data, without a covariance."""
    variance = variance_by_curvature(x.shape[1], latent_dim, kl_weight)
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)[:latent_dim]
    return variance, np.sum(singular**2 / len(x) > variance)


def active_by_inertia(x, latent_dim, kl_weight):
    """No eigenvalue at all: an LDL' factor has as many positive pivots as there are above."""
    n, d = x.shape
    variance = kl_weight / latent_dim / (2 / d)
    covariance = x.T @ x / n - np.outer(x.mean(axis=0), x.mean(axis=0))
    _, pivots, _ = ldl(covariance - variance * np.eye(d))
    return variance, min(latent_dim, int(np.sum(np.linalg.eigvalsh(pivots) > 0)))


def spectrum(x):
    return np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1].clip(0)


def right_variance(d, latent_dim, kl_weight):
    return kl_weight * d / (2 * latent_dim)


def assuming(rule):
    """Turn another variance, from d, latent_dim, kl_weight, into an answer that counts by it."""

    def answer(x, latent_dim, kl_weight):
        variance = rule(x.shape[1], latent_dim, kl_weight)
        return variance, np.sum(spectrum(x)[:latent_dim] > variance)

    return answer


def counting(rule):
    """Turn another way to count, from the data, latent_dim and the line, into an answer."""

    def answer(x, latent_dim, kl_weight):
        variance = right_variance(x.shape[1], latent_dim, kl_weight)
        return variance, rule(x, latent_dim, variance)

    return answer


def above(values, latent_dim, line):
    return np.sum(np.asarray(values)[:latent_dim] > line)


ASSUMED_AND_ACTIVE = Exercise(
    name="assumed_and_active",
    cases=report_cases,
    oracle=lambda x, latent_dim, kl_weight: active_by_svd(x, latent_dim, kl_weight),
    second_answer=active_by_inertia,
    mistakes=(
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight * d / 2),
            "this is the variance for a KL that is summed over the latents: the report takes the "
            "mean of it, too",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: d / 2),
            "this is the lecture's variance, for an averaged error and a summed KL: the report "
            "averages the KL, too, and weighs it",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight / 2),
            "this is the variance for sums: the report takes means, over pixels and over latents, "
            "and these are not equally many",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight / (2 * latent_dim)),
            "the error is averaged over the pixels, which makes it d times smaller",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight * d / latent_dim),
            "the 2 is missing: a log-likelihood has the squared error over 2 variance",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: 2 * kl_weight * d / latent_dim),
            "the 2 is on the wrong side: a log-likelihood has the squared error over 2 variance",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: d / (2 * latent_dim)),
            "kl_weight is forgotten: divide the loss by whatever stands in front of the summed KL",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: d / (2 * latent_dim * kl_weight)),
            "kl_weight is on the wrong side: the heavier the KL, the larger the variance",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight * latent_dim / (2 * d)),
            "pixels and latents are swapped: averaging the error over more pixels makes the "
            "variance larger, averaging the KL over more latents makes it smaller",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: kl_weight * latent_dim * d / 2),
            "averaging the KL makes it lighter, so latent_dim divides",
        ),
        (
            assuming(lambda d, latent_dim, kl_weight: 1 / right_variance(d, latent_dim, kl_weight)),
            "this is one over the variance",
        ),
        (
            lambda x, latent_dim, kl_weight: (
                math.sqrt(right_variance(x.shape[1], latent_dim, kl_weight)),
                above(spectrum(x), latent_dim, right_variance(x.shape[1], latent_dim, kl_weight)),
            ),
            "the first value is the standard deviation; the exercise asks for the variance",
        ),
        (
            assuming(
                lambda d, latent_dim, kl_weight: right_variance(d, latent_dim, kl_weight) ** 0.5
            ),
            "the first value is the standard deviation, and eigenvalues are held against it: take "
            "the variance",
        ),
        (
            lambda x, latent_dim, kl_weight: (
                len(x) * right_variance(x.shape[1], latent_dim, kl_weight),
                above(
                    spectrum(x),
                    latent_dim,
                    len(x) * right_variance(x.shape[1], latent_dim, kl_weight),
                ),
            ),
            "both parts are averaged over the examples: their number cancels",
        ),
        (
            counting(lambda x, latent_dim, line: above(spectrum(x)[::-1], latent_dim, line)),
            "the second value: numpy gives eigenvalues from small to large, and the first "
            "latent_dim of them are the smallest: take the largest",
        ),
        (
            counting(lambda x, latent_dim, line: above(spectrum(x), None, line)),
            "the second value: more are counted than there are latents, so stop at latent_dim",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(
                    np.linalg.eigvalsh(np.cov(x.T))[::-1], latent_dim, line
                )
            ),
            "the second value: the loss is a mean over the n examples, so the covariance divides "
            "by n, not n - 1",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(
                    np.linalg.eigvalsh(np.cov(x, bias=True))[::-1], latent_dim, line
                )
            ),
            "the second value: examples are taken for variables, transpose for np.cov",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(
                    np.linalg.eigvalsh(x.T @ x / len(x))[::-1], latent_dim, line
                )
            ),
            "the second value: the data are not centred, subtract the mean first",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(
                    np.linalg.eigvalsh((x - x.mean(axis=0)).T @ (x - x.mean(axis=0)))[::-1],
                    latent_dim,
                    line,
                )
            ),
            "the second value: the covariance is not divided by the number of examples",
        ),
        (
            counting(lambda x, latent_dim, line: above(np.sort(x.var(axis=0))[::-1], None, line)),
            "the second value: these are the variances of the pixels, take the eigenvalues of the "
            "covariance",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(np.sort(x.var(axis=0))[::-1], latent_dim, line)
            ),
            "the second value: these are the variances of the pixels, take the eigenvalues of the "
            "covariance, at most latent_dim",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(
                    np.linalg.svd(x - x.mean(axis=0), compute_uv=False), latent_dim, line
                )
            ),
            "the second value: these are singular values, square them and divide by n",
        ),
        (
            counting(lambda x, latent_dim, line: above(np.sqrt(spectrum(x)), latent_dim, line)),
            "the second value: a standard deviation is held against a variance, leave out the root",
        ),
        (
            counting(
                lambda x, latent_dim, line: above(spectrum(x) / spectrum(x).sum(), latent_dim, line)
            ),
            "the second value: shares of the variance are held against a variance, take the "
            "eigenvalues themselves",
        ),
        (
            lambda x, latent_dim, kl_weight: (
                right_variance(x.shape[1], latent_dim, kl_weight),
                above(
                    spectrum(x),
                    latent_dim,
                    kl_weight * right_variance(x.shape[1], latent_dim, kl_weight),
                ),
            ),
            "the second value: kl_weight is taken for a beta on top, but it is in the variance "
            "already",
        ),
        (
            counting(lambda x, latent_dim, line: latent_dim - above(spectrum(x), latent_dim, line)),
            "the second value: these are the latents that are off",
        ),
        (
            counting(lambda x, latent_dim, line: latent_dim),
            "the second value: these are the latents on offer, not all of them are worth their KL",
        ),
        (
            counting(lambda x, latent_dim, line: above(spectrum(x), latent_dim, line) / latent_dim),
            "the second value: this is the share of the latents; the exercise asks for their "
            "number",
        ),
        (
            lambda x, latent_dim, kl_weight: active_by_svd(x, latent_dim, kl_weight)[::-1],
            "the two values are in the other order: first the variance, then the number",
        ),
    ),
    hints=(
        "Write the report's loss with sums: the summed error divided by d, and the summed KL times "
        "kl_weight / latent_dim. A loss may be multiplied by any number.",
        "Divide by what stands in front of the summed KL. Then what stands in front of the summed "
        "error is 1 / (2 variance).",
        "variance = kl_weight * d / (2 * latent_dim). Count the eigenvalues of "
        "np.cov(x.T, bias=True) above it, the first latent_dim of them.",
    ),
)

VARIANCE = 0.05  # of a pixel, for the VAE that is trained
LATENTS = 8


def bound_trial(build, rng):
    """The ELBO on unseen digits, held against log p(x) of the best linear VAE."""
    digits = new_digits(rng)
    encode, decode = functions(build(tensor(digits.x_train), VARIANCE), ("encode", "decode"))
    x, n = digits.x_test, len(digits.x_test)
    mean, log_var = means_and_log_vars(encode, x)
    parts = []
    for _ in range(8):
        z = mean + np.exp(log_var / 2) * rng.normal(size=mean.shape)
        parts.append(squared_error(x, called(decode, z, (n, 64), "decode")))
    error, price = np.mean(parts), kl(mean, log_var).sum(axis=1).mean()
    elbo = -error / (2 * VARIANCE) - 32 * math.log(2 * math.pi * VARIANCE) - price
    linear = linear_log_likelihood(digits, LATENTS)
    numbers = f"ELBO {elbo:.1f} nats, linear {linear:.1f}"
    z = rng.normal(size=(10, LATENTS))
    rows = x[:10], called(decode, mean, (n, 64), "decode")[:10], called(decode, z, (10, 64), "")
    return Outcome(
        bound_fault(elbo, linear, error, price, log_var, numbers), lambda: draw_vae(rows, numbers)
    )


def means_and_log_vars(encode, x):
    pair = []

    def part(i):
        def of(images):
            result = encode(images)
            if not (isinstance(result, tuple | list) and len(result) == 2):
                raise Wrong("encode must give two things: the means and the log-variances")
            return result[i]

        return of

    for i, name in enumerate(("the first result of encode", "the second result of encode")):
        pair.append(called(part(i), x, (len(x), LATENTS), name))
    return pair


def linear_log_likelihood(digits, latent_dim):
    """Exact mean log p(x) of test digits under the best linear decoder with this variance."""
    mean = digits.x_train.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(digits.x_train.T, bias=True))
    values[:-latent_dim] = VARIANCE
    values = np.maximum(values, VARIANCE)
    scores = (digits.x_test - mean) @ directions
    return -0.5 * (scores**2 / values + np.log(2 * np.pi * values)).sum(axis=1).mean()


def bound_fault(elbo, linear, error, price, log_var, numbers):
    if elbo >= linear + 4:
        return None
    numbers = f"{numbers}, at least {linear + 4:.1f} is asked for"
    parts = f"the squared error is {error:.2f}, the KL {price:.1f} nats"
    if price < 0.1:
        return (
            f"{numbers}: {parts}, so the code says nothing: is the squared error summed over the "
            "pixels and divided by 2 variance?"
        )
    if log_var.min() > 0 and log_var.max() < 2 and log_var.std() < 0.5:
        return (
            f"{numbers}: {parts}; every log-variance is above 0, as standard deviations are: "
            "encode gives log_var, the logarithm of the variance"
        )
    if price > 30:
        return f"{numbers}: {parts}: is the KL in your loss, with weight one?"
    if price > 14:
        return f"{numbers}: {parts}: is the KL summed over the latents? A mean is a hidden beta"
    return f"{numbers}: {parts}: train longer, or widen the hidden layer"


def draw_vae(rows, numbers):
    from lecture_utils.plotting import show_images

    show_images(
        list(rows),
        ["digit", "its mean, decoded", "drawn from N(0, I)"],
        numbers,
        "Three rows of small digits: test digits, their decoded means, and decoded random codes.",
    )


def vae_answer(epochs=80, weight=1.0, reduce_kl=None, error_weight=1.0, broken=None, hidden=128):
    """An answer with a VAE of one hidden layer each way."""

    def build(x_train, variance):
        decoder = nn.Sequential(mlp(LATENTS, hidden, 64), nn.Sigmoid())
        model = VariationalAutoencoder(mlp(64, hidden, 2 * LATENTS), decoder)

        def loss(model, x):
            mean, log_var = model.encode(x)
            x_hat = model.decoder(reparameterize(mean, log_var))
            squared = ((x - x_hat) ** 2).sum(1) / (2 * variance)
            price = 0.5 * (mean**2 + log_var.exp() - 1 - log_var)
            price = reduce_kl(price) if reduce_kl else price.sum(1)
            return (error_weight * squared + weight * price).mean()

        fit(model, loss, x_train, epochs, max_lr=1e-2)
        return broken(model) if broken else (model.encode, model.decoder)

    return build


def vae_by_hand(x_train, variance):
    """Two heads, tanh, a loop of one's own and torch.distributions for the KL."""
    trunk = nn.Sequential(nn.Linear(64, 128), nn.Tanh())
    heads = nn.ModuleList([nn.Linear(128, LATENTS), nn.Linear(128, LATENTS)])
    decoder = nn.Sequential(nn.Linear(LATENTS, 128), nn.Tanh(), nn.Linear(128, 64), nn.Sigmoid())
    networks = nn.ModuleList([trunk, heads, decoder])
    optimizer = torch.optim.Adam(networks.parameters(), lr=4e-3)
    prior = torch.distributions.Normal(0, 1)
    for _ in range(100):
        for index in torch.randperm(len(x_train)).split(128):
            x = x_train[index]
            h = trunk(x)
            q = torch.distributions.Normal(heads[0](h), (0.5 * heads[1](h)).exp())
            seen = torch.distributions.Normal(decoder(q.rsample()), variance**0.5)
            price = torch.distributions.kl_divergence(q, prior).sum(1)
            loss = (price - seen.log_prob(x).sum(1)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lambda x: tuple(head(trunk(x)) for head in heads), decoder


BETTER_BOUND = Building(
    name="better_bound",
    trial=bound_trial,
    parameters=["x_train", "variance"],
    second_answer=vae_by_hand,
    mistakes=(
        (vae_answer(weight=0), "is the KL in your loss"),
        (vae_answer(reduce_kl=lambda price: price.mean(1)), "hidden beta|the KL in your loss"),
        (vae_answer(error_weight=1 / 64), "the code says nothing"),
        (vae_answer(epochs=3), "train longer|says nothing"),
        (
            vae_answer(
                broken=lambda m: (
                    lambda x: (m.encode(x)[0], (0.5 * m.encode(x)[1]).exp()),
                    m.decoder,
                )
            ),
            "encode gives log_var",
        ),
        (vae_answer(broken=lambda m: (lambda x: m.encode(x)[0], m.decoder)), "must give two"),
        (vae_answer(broken=lambda m: m.encode), "encode and decode, in this order"),
    ),
    hints=(
        "The loss is minus the lecture's ELBO. Which two sums stand in it, and what divides the "
        "squared error?",
        "mean, log_var = encoder(x).chunk(2, dim=-1), z = reparameterize(mean, log_var); then the "
        "squared error, summed over pixels, over 2 variance, plus the KL, summed over latents.",
        "model = VariationalAutoencoder(mlp(64, 128, 16), nn.Sequential(mlp(8, 128, 64), "
        "nn.Sigmoid())); fit it with the loss -elbo(model, x, variance), 80 epochs and "
        "max_lr=1e-2; return model.encode, model.decoder.",
    ),
)

EXERCISES = (ELBO_OF_EACH, ASSUMED_AND_ACTIVE, BETTER_BOUND)
