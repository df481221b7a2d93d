"""Right and wrong answers to the exercises of lecture 05."""

import math

import numpy as np
import pytest
from answers.collected import right, wrong
from scipy import optimize
from scipy.linalg import sqrtm

from lecture_utils.divergences import kl_divergence_gaussian


@right("kl_of_precisions")
def by_the_library(mean_p, precision_p, mean_q, precision_q):
    return kl_divergence_gaussian(
        mean_p, np.linalg.inv(precision_p), mean_q, np.linalg.inv(precision_q)
    )


@right("kl_of_precisions")
def by_eigenvalues(mean_p, precision_p, mean_q, precision_q):
    ratio = np.linalg.eigvals(np.linalg.solve(precision_p, precision_q)).real
    d = mean_p - mean_q
    return 0.5 * (np.sum(ratio - 1 - np.log(ratio)) + d @ (precision_q @ d))


@wrong("kl_of_precisions", "a determinant is zero or infinite")
def by_two_determinants(mean_p, precision_p, mean_q, precision_q):
    d = mean_p - mean_q
    trace = np.trace(np.linalg.inv(precision_p) @ precision_q)
    logs = np.log(np.linalg.det(precision_p)) - np.log(np.linalg.det(precision_q))
    return 0.5 * (trace + d @ precision_q @ d - len(d) + logs)


@wrong("kl_of_precisions", "a determinant is zero or infinite")
def by_determinant_of_ratio(mean_p, precision_p, mean_q, precision_q):
    d, ratio = mean_p - mean_q, np.linalg.solve(precision_p, precision_q)
    return 0.5 * (np.trace(ratio) + d @ precision_q @ d - len(d) - np.log(np.linalg.det(ratio)))


@wrong("kl_of_precisions")
def on_the_diagonal(mean_p, precision_p, mean_q, precision_q):
    p, q, d = np.diag(precision_p), np.diag(precision_q), mean_p - mean_q
    return 0.5 * np.sum(q / p - 1 + np.log(p / q) + q * d**2)


@wrong("kl_of_precisions")
def with_elementwise_product(mean_p, precision_p, mean_q, precision_q):
    d = mean_p - mean_q
    trace = np.sum(precision_q / precision_p.diagonal())
    logs = np.linalg.slogdet(precision_p)[1] - np.linalg.slogdet(precision_q)[1]
    return 0.5 * (trace + d @ precision_q @ d - len(d) + logs)


@wrong("kl_of_precisions", "the precisions serve as covariances")
def as_covariances(mean_p, precision_p, mean_q, precision_q):
    return kl_divergence_gaussian(mean_p, precision_p, mean_q, precision_q)


@wrong("kl_of_precisions")
def with_length_of_step(mean_p, precision_p, mean_q, precision_q):
    d = mean_p - mean_q
    trace = np.trace(np.linalg.solve(precision_p, precision_q))
    logs = np.linalg.slogdet(precision_p)[1] - np.linalg.slogdet(precision_q)[1]
    return 0.5 * (trace + np.sqrt(d @ precision_q @ d) - len(d) + logs)


@wrong("kl_of_precisions")
def with_base_ten(mean_p, precision_p, mean_q, precision_q):
    d = mean_p - mean_q
    trace = np.trace(np.linalg.solve(precision_p, precision_q))
    logs = (np.linalg.slogdet(precision_p)[1] - np.linalg.slogdet(precision_q)[1]) / np.log(10)
    return 0.5 * (trace + d @ precision_q @ d - len(d) + logs)


@right("kl_to_standard_normal")
def row_by_row(mean, log_var):
    return [
        0.5 * sum(math.exp(v) + m * m - 1 - v for m, v in zip(row, var, strict=True))
        for row, var in zip(mean.tolist(), log_var.tolist(), strict=True)
    ]


@right("kl_to_standard_normal")
def with_torch(mean, log_var):
    torch = pytest.importorskip("torch")
    m, v = torch.tensor(mean).double(), torch.tensor(log_var).double()
    return -0.5 * torch.sum(1 + v - m.pow(2) - v.exp(), dim=1)


@wrong("kl_to_standard_normal", "one number per example")
def as_in_many_repositories(mean, log_var):
    return -0.5 * np.sum(1 + log_var - mean**2 - np.exp(log_var))


@wrong("kl_to_standard_normal", "sum over the dimensions, axis=1")
def over_the_examples(mean, log_var):
    return 0.5 * np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=0)


@wrong("kl_to_standard_normal")
def squeezed(mean, log_var):
    return np.squeeze(0.5 * np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=1))


@wrong("kl_to_standard_normal")
def keeping_dimensions(mean, log_var):
    return 0.5 * np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=1, keepdims=True)


@wrong("kl_to_standard_normal")
def clipped_log_var(mean, log_var):
    log_var = np.clip(log_var, -10, 10)
    return 0.5 * np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=1)


@wrong("kl_to_standard_normal")
def with_epsilon_in_the_log(mean, log_var):
    var = np.exp(log_var)
    return 0.5 * np.sum(var + mean**2 - 1 - np.log(var + 1e-10), axis=1)


@wrong("kl_to_standard_normal", "logarithm of std")
def log_std(mean, log_var):
    std = np.exp(log_var)
    return np.sum((std**2 + mean**2 - 1) / 2 - np.log(std), axis=1)


@wrong("kl_to_standard_normal")
def mean_of_rows(mean, log_var):
    m, v = mean.mean(axis=1), log_var.mean(axis=1)
    return 0.5 * (np.exp(v) + m**2 - 1 - v)


@right("agree_both_ways")
def by_determinants(cov_p, cov_q):
    c = np.sqrt(np.linalg.det(cov_p) / np.linalg.det(cov_q))
    return c, np.trace(np.linalg.solve(c * cov_q, cov_p)) / 2 - 1


@right("agree_both_ways")
def six_digits(cov_p, cov_q):
    return tuple(float(f"{value:.6g}") for value in by_determinants(cov_p, cov_q))


@right("agree_both_ways")
def by_quadratic(cov_p, cov_q):
    a, b = np.trace(np.linalg.solve(cov_q, cov_p)), np.trace(np.linalg.solve(cov_p, cov_q))

    def gap(s):  # twice KL(P||Q) minus twice KL(Q||P), for the factor exp(s)
        logs = np.linalg.slogdet(cov_q)[1] - np.linalg.slogdet(cov_p)[1] + 2 * s
        return a / np.exp(s) - np.exp(s) * b + 2 * logs

    s = optimize.brentq(gap, -40, 40, xtol=1e-13)
    return np.exp(s), kl_of(cov_p, np.exp(s) * cov_q)


def kl_of(cov_p, cov_q):
    return kl_divergence_gaussian(np.zeros(2), cov_p, np.zeros(2), cov_q)


@wrong("agree_both_ways")
def searched_from_a_tenth_to_ten(cov_p, cov_q):
    def gap(c):
        return (kl_of(cov_p, c * cov_q) - kl_of(c * cov_q, cov_p)) ** 2

    c = optimize.minimize_scalar(
        gap, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-10}
    ).x
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways", "raised ValueError: f.a. and f.b. must have different signs")
def bracketed_from_a_tenth_to_ten(cov_p, cov_q):
    c = optimize.brentq(lambda c: kl_of(cov_p, c * cov_q) - kl_of(c * cov_q, cov_p), 0.1, 10)
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways")
def on_a_grid(cov_p, cov_q):
    grid = np.geomspace(1e-4, 1e4, 500)
    gaps = [abs(kl_of(cov_p, c * cov_q) - kl_of(c * cov_q, cov_p)) for c in grid]
    c = grid[np.argmin(gaps)]
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways")
def by_diagonals(cov_p, cov_q):
    c = np.sqrt(np.prod(np.diag(cov_p)) / np.prod(np.diag(cov_q)))
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways", "by a square")
def by_ratio_of_determinants(cov_p, cov_q):
    c = np.linalg.det(cov_p) / np.linalg.det(cov_q)
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways")
def by_largest_eigenvalues(cov_p, cov_q):
    c = np.linalg.eigvalsh(cov_p)[-1] / np.linalg.eigvalsh(cov_q)[-1]
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways", "traces equal")
def by_traces(cov_p, cov_q):
    c = np.trace(cov_p) / np.trace(cov_q)
    return c, kl_of(cov_p, c * cov_q)


@wrong("agree_both_ways")
def by_roots_of_matrices(cov_p, cov_q):
    c = np.trace(sqrtm(cov_p)) / np.trace(sqrtm(cov_q))
    return c, kl_of(cov_p, c**2 * cov_q)
