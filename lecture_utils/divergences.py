"""How different two distributions are, in nats. Lectures 01 to 06 show each function in full."""

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import xlogy

from lecture_utils.validation import (
    as_cholesky,
    as_distribution,
    as_distributions,
    as_gaussians,
    as_log_densities,
    as_log_samples,
    as_means,
    as_probabilities,
)


def entropy(p):
    """Expected surprise of an observer who knows P, H(P) = -sum p log p, in nats.

    Parameters
    ----------
    p : array_like, shape (..., k)
        Probabilities along the last axis; leading axes are batches.

    Returns
    -------
    float64 array, shape (...)

    Raises
    ------
    ValueError
        When `p` is not a distribution (see `validation.as_distribution`).

    Source: Shannon, "A Mathematical Theory of Communication" (1948).

    >>> print(round(entropy([0.5, 0.5]), 4))
    0.6931
    """
    p = as_distribution(p)
    return 0.0 - xlogy(p, p).sum(axis=-1)  # not -0.0 where nothing surprises


def cross_entropy(p, q):
    """Expected surprise under P of an observer who believes Q, H(P, Q) = -sum p log q, in nats.

    Parameters
    ----------
    p, q : array_like, shape (..., k)
        Probabilities along the last axis; leading axes are batches.

    Returns
    -------
    float64 array, shape (...): infinite where q = 0 < p.

    Raises
    ------
    ValueError
        When `p` or `q` is not a distribution, or their shapes differ.

    >>> print(round(cross_entropy([0.5, 0.5], [0.9, 0.1]), 4))
    1.204
    """
    p, q = as_distributions(p, q)
    return 0.0 - xlogy(p, q).sum(axis=-1)


def kl_divergence(p, q):
    """Kullback-Leibler divergence KL(P||Q) = sum p log(p / q), in nats; p comes first.

    Each term is computed as p log(p/q) - p + q, which is never negative; the sum is the same,
    because P and Q both sum to one.

    Parameters
    ----------
    p, q : array_like, shape (..., k)
        Probabilities along the last axis; leading axes are batches.

    Returns
    -------
    float64 array, shape (...): never negative, infinite where q = 0 < p.

    Raises
    ------
    ValueError
        When `p` or `q` is not a distribution, or their shapes differ.

    Source: the deck; Kullback and Leibler, "On Information and Sufficiency" (1951).

    >>> print(round(kl_divergence([0.5, 0.5], [0.9, 0.1]), 4))
    0.5108
    """
    p, q = as_distributions(p, q)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        d = (q - p) / p
        near = p * (d - np.log1p(d))
    far = xlogy(p, p) - xlogy(p, q) - p + q
    return np.where(np.abs(d) < 0.5, near, far).sum(axis=-1)


def kl_divergence_bernoulli(rho, rho_hat):
    """KL divergence between coins that show heads with probability `rho` and `rho_hat`, in nats.

    Parameters
    ----------
    rho, rho_hat : array_like, shapes that broadcast to (...)
        Probabilities.

    Returns
    -------
    float64 array, shape (...): never negative, infinite where the second excludes a side.

    Raises
    ------
    ValueError
        When an entry is no probability, or the shapes do not go together.

    >>> print(round(kl_divergence_bernoulli(0.5, 0.9), 4))
    0.5108
    """
    rho, rho_hat = as_probabilities(rho, rho_hat)
    p = np.stack([rho, 1 - rho], axis=-1)  # a coin is a distribution on two outcomes
    q = np.stack([rho_hat, 1 - rho_hat], axis=-1)
    return kl_divergence(p, q)


def js_divergence(p, q):
    """Jensen-Shannon divergence, KL(P||M) / 2 + KL(Q||M) / 2 with M = (P + Q) / 2, in nats.

    Parameters
    ----------
    p, q : array_like, shape (..., k)
        Probabilities along the last axis; leading axes are batches.

    Returns
    -------
    float64 array, shape (...): from 0 to log 2 (probabilities below 1e-307 apart, whose half is 0).

    Raises
    ------
    ValueError
        When `p` or `q` is not a distribution, or their shapes differ.

    Source: Lin, "Divergence Measures Based on the Shannon Entropy" (1991). The deck has KL(M||Q)
    in the second term, a misprint.

    >>> print(round(js_divergence([1, 0], [0, 1]), 4))
    0.6931
    """
    p, q = as_distributions(p, q)
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def quadrature_grid(lower, upper):
    """Points x and weights so that sum(weights * f(x)) is the integral of f from lower to upper.

    2,000 equal strips of 8 Gauss-Legendre points: right to rounding for an f smooth on a strip.

    Returns
    -------
    x, weights : float64 arrays, shape (16000,)

    Raises
    ------
    ValueError
        When `lower` is not below `upper`, or one of them is not finite.
    """
    if not -np.inf < lower < upper < np.inf:
        raise ValueError(f"lower = {lower} must be below upper = {upper}, and both finite")
    node, node_weight = np.polynomial.legendre.leggauss(8)
    half_strip = (upper - lower) / 4_000
    centre = lower + half_strip * np.arange(1, 4_000, 2)
    return (centre[:, None] + half_strip * node).ravel(), np.tile(half_strip * node_weight, 2_000)


def kl_divergence_quadrature(log_p, log_q, lower, upper):
    """KL(P||Q) of two densities on the line, in nats, by numerical integration.

    Parameters
    ----------
    log_p, log_q : callables, (n,) -> (n,)
        Normalised log-densities, -inf where a density is zero; it underflows long before its log.
    lower, upper : float
        An interval that holds all of both distributions.

    Returns
    -------
    float: never negative, infinite where q = 0 < p.

    Raises
    ------
    ValueError
        When a density does not integrate to one over the interval within 1e-9, or is NaN.

    Source: the deck's "KL Divergence", the integral.
    """
    x, weights = quadrature_grid(lower, upper)
    log_p, log_q = as_log_densities(log_p(x), log_q(x), weights)
    p, q = np.exp(log_p), np.exp(log_q)
    with np.errstate(over="ignore", invalid="ignore"):
        log_ratio = log_p - log_q
        near = p * (np.expm1(-log_ratio) + log_ratio)
        far = q - p + p * log_ratio
    return weights @ np.select([p == 0, log_ratio > -1], [q, near], far)


def kl_divergence_monte_carlo(log_p, log_q, x):
    """Estimate of KL(P||Q) in nats from samples of P, with its standard error.

    Parameters
    ----------
    log_p, log_q : callables, (n, ...) -> (n,)
        Normalised log-densities.
    x : array, shape (n, ...)
        Independent samples from P, at least two.

    Returns
    -------
    estimate, standard_error : float64
        The estimate can be negative; the error needs a log p/q of finite variance under P. Both
        are infinite when q = 0 at a sample.

    Raises
    ------
    ValueError
        For fewer than two samples, NaN, or a sample that P cannot have produced.

    Source: the deck's "KL Divergence", the expectation.
    """
    log_p, log_q = as_log_samples(log_p(x), log_q(x))
    if np.isneginf(log_q).any():
        return np.inf, np.inf
    terms = log_p - log_q
    error = terms.std(ddof=1) / np.sqrt(len(terms))
    return terms.mean(), error


def kl_divergence_gaussian_1d(mean_p, std_p, mean_q, std_q):
    """KL of N(mean_p, std_p^2) from N(mean_q, std_q^2), in nats.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q : array_like
        Shapes that broadcast together; `std` is a standard deviation, not a variance.

    Returns
    -------
    float64 array of the broadcast shape: never negative.

    Raises
    ------
    ValueError
        For a standard deviation that is not positive, NaN or infinite values.

    Source: the deck's "KL Divergence for Gaussians", the one-dimensional case.

    >>> print(kl_divergence_gaussian_1d(0, 1, 1, 1))
    0.5
    """
    mean_p, std_p, mean_q, std_q = as_gaussians(mean_p, std_p, mean_q, std_q)
    with np.errstate(all="ignore"):  # each is computed everywhere and used where it is good
        d = (std_p - std_q) / std_q
        near = d - np.log1p(d) + d**2 / 2
        far = np.log(std_q) - np.log(std_p) + (std_p / std_q) ** 2 / 2 - 1 / 2
        distance = ((mean_p - mean_q) / std_q) ** 2 / 2
    return np.where(np.abs(d) < 0.5, near, far) + distance


def kl_divergence_gaussian(mean_p, cov_p, mean_q, cov_q):
    """KL of N(mean_p, cov_p) from N(mean_q, cov_q) in k dimensions, in nats.

    With cov = L L^T (Cholesky) and A = L_q^-1 L_p, which is lower triangular, the deck's trace is
    the sum of all squares of A, and its log-determinants come from the diagonals: one KL of 1-D
    Gaussians for each diagonal entry. No term is negative, and no matrix is inverted.

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (k,)
    cov_p, cov_q : array_like, shape (k, k), symmetric positive definite

    Returns
    -------
    float64: never negative.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN, or a covariance that is not symmetric positive definite.

    Source: the deck's "KL Divergence for Gaussians".
    """
    mean_p, mean_q = as_means(mean_p, mean_q)
    L_p = as_cholesky(mean_p, cov_p, "cov_p")
    L_q = as_cholesky(mean_q, cov_q, "cov_q")
    A = solve_triangular(L_q, L_p, lower=True)
    z = solve_triangular(L_q, mean_q - mean_p, lower=True)
    scales = kl_divergence_gaussian_1d(0, np.diag(L_p), 0, np.diag(L_q))
    return scales.sum() + np.sum(np.tril(A, -1) ** 2) / 2 + np.sum(z**2) / 2
