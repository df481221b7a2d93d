"""Checks of what a user passes in; every error names the argument, the value and the remedy."""

import numpy as np
from scipy.linalg import lapack

SUM_TOLERANCE = 1e-9


def as_distribution(p, name="p"):
    """Return `p` as a float64 array whose last axis holds probabilities that sum to one.

    Raises
    ------
    ValueError
        For no outcomes, NaN, a negative entry, or a sum that is not within 1e-9 of one.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} must hold at least one outcome, but its shape is {p.shape}")
    if np.isnan(p).any():
        raise ValueError(f"{name} holds NaN: find out where it comes from, do not replace it")
    if (p < 0).any():
        raise ValueError(f"{name} holds {p.min():.6g}: probabilities cannot be negative")
    total = p.sum(axis=-1)
    worst = np.ravel(total)[np.argmax(np.abs(np.ravel(total) - 1))]
    if not abs(worst - 1) <= SUM_TOLERANCE:
        raise ValueError(
            f"{name} sums to {worst:.12g}, not to 1: divide counts or weights by their sum"
        )
    return p


def as_distributions(p, q):
    """Return `p` and `q` as float64 arrays of one shape, with distributions along the last axis.

    Raises
    ------
    ValueError
        For shapes that differ, and for what `as_distribution` refuses.
    """
    p, q = as_distribution(p, "p"), as_distribution(q, "q")
    if p.shape != q.shape:
        raise ValueError(
            f"p has shape {p.shape} and q {q.shape}: both must list the same outcomes, one by one"
        )
    return p, q


def as_probabilities(rho, rho_hat):
    """Return `rho` and `rho_hat` as float64 arrays of one shape, each entry a probability.

    Raises
    ------
    ValueError
        For NaN, an entry outside [0, 1], or shapes that do not go together.
    """
    checked = []
    for name, values in (("rho", rho), ("rho_hat", rho_hat)):
        probability = np.asarray(values, dtype=np.float64)
        if not ((probability >= 0) & (probability <= 1)).all():
            raise ValueError(
                f"{name} holds a number outside [0, 1] or NaN: it must be a probability, such as "
                "the mean activation of a sigmoid unit"
            )
        checked.append(probability)
    try:
        return np.broadcast_arrays(*checked)
    except ValueError:
        shapes = " and ".join(str(probability.shape) for probability in checked)
        raise ValueError(
            f"rho and rho_hat have shapes {shapes}: give one rho, or one for each rho_hat"
        ) from None


def as_log_densities(log_p, log_q, weights):
    """Return two log-densities on a grid as float64 arrays that each integrate to one.

    Raises
    ------
    ValueError
        For NaN, a shape that is not the grid's, or an integral that is not within 1e-9 of one.
    """
    checked = []
    for name, values in (("log_p", log_p), ("log_q", log_q)):
        log_density = np.asarray(values, dtype=np.float64)
        if log_density.shape != weights.shape:
            raise ValueError(
                f"{name}(x) has shape {log_density.shape} for x of shape {weights.shape}: "
                "it must return one value for each x"
            )
        if np.isnan(log_density).any():
            raise ValueError(f"{name}(x) is NaN somewhere: return -inf where the density is zero")
        mass = np.exp(log_density) @ weights
        if not abs(mass - 1) <= SUM_TOLERANCE:
            raise ValueError(
                f"exp({name}) integrates to {mass:.9g}, not to 1: is it a normalised log-density, "
                "and does [lower, upper] hold all of it?"
            )
        checked.append(log_density)
    return checked


def as_log_density_samples(log_p, log_q):
    """Return the two log-densities of samples from P as float64 arrays of one shape (n,).

    Raises
    ------
    ValueError
        For fewer than two samples, shapes that differ, NaN, or a sample that P cannot produce.
    """
    log_p, log_q = np.asarray(log_p, dtype=np.float64), np.asarray(log_q, dtype=np.float64)
    if log_p.ndim != 1 or log_p.shape != log_q.shape:
        raise ValueError(
            f"log_p(x) has shape {log_p.shape} and log_q(x) {log_q.shape}: "
            "each must return one value for each sample"
        )
    if len(log_p) < 2:
        raise ValueError(f"{len(log_p)} sample(s): a standard error needs at least 2")
    if np.isnan(log_p).any() or np.isnan(log_q).any():
        raise ValueError("a log-density is NaN at a sample: return -inf where the density is zero")
    if np.isneginf(log_p).any():
        raise ValueError("P cannot have produced one of the samples: were they drawn from Q?")
    return log_p, log_q


def as_pair(x, x_hat):
    """Return data and their reconstruction as float64 arrays of one shape, without NaN.

    Raises
    ------
    ValueError
        When the shapes differ, or the reconstruction holds NaN.
    """
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    if x.shape != x_hat.shape:
        raise ValueError(f"x has shape {x.shape} and x_hat {x_hat.shape}: they must be the same")
    if np.isnan(x_hat).any():
        raise ValueError("x_hat holds NaN: did the training diverge?")
    return x, x_hat


def as_means(mean_p, mean_q):
    """Return two means as float64 arrays.

    Raises
    ------
    ValueError
        For NaN or infinite values.
    """
    mean_p, mean_q = np.asarray(mean_p, dtype=np.float64), np.asarray(mean_q, dtype=np.float64)
    for name, mean in (("mean_p", mean_p), ("mean_q", mean_q)):
        if not np.isfinite(mean).all():
            raise ValueError(f"{name} holds NaN or an infinite value: a mean must be finite")
    return mean_p, mean_q


def as_stds(std_p, std_q):
    """Return two standard deviations as float64 arrays.

    Raises
    ------
    ValueError
        For values that are not positive and finite.
    """
    std_p, std_q = np.asarray(std_p, dtype=np.float64), np.asarray(std_q, dtype=np.float64)
    for name, std in (("std_p", std_p), ("std_q", std_q)):
        if not ((std > 0) & np.isfinite(std)).all():
            raise ValueError(
                f"{name} holds {np.min(std):.6g}: a standard deviation must be positive and finite "
                "(did you pass a logarithm?)"
            )
    return std_p, std_q


def as_cholesky(mean, cov, name):
    """Return the lower Cholesky factor of the covariance `cov` of a Gaussian with the given `mean`.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN, or a covariance that is not symmetric positive definite.
    """
    cov = np.asarray(cov, dtype=np.float64)
    if mean.ndim != 1 or not mean.size or cov.shape != (len(mean), len(mean)):
        raise ValueError(
            f"{name} has shape {cov.shape} for a mean of shape {mean.shape}: "
            "a mean of shape (k,), k at least 1, needs a covariance of shape (k, k)"
        )
    if not np.isfinite(cov).all():
        raise ValueError(f"{name} holds NaN or an infinite value")
    if not np.allclose(cov, cov.T, rtol=1e-9, atol=1e-12 * np.abs(cov).max(initial=0)):
        raise ValueError(f"{name} is not symmetric: (cov + cov.T) / 2 is, if that is what you mean")
    L, failed = lapack.dpotrf(cov, lower=True)
    # Rounding lets some singular matrices through; LAPACK's estimate of 1 / condition finds them.
    largest = np.abs(cov).sum(0).max()
    if failed or lapack.dpocon(L, largest, uplo="L")[0] <= len(cov) * np.finfo(np.float64).eps:
        raise ValueError(
            f"{name} is not positive definite (its smallest eigenvalue is zero or negative): "
            "a singular covariance has no density; leave out the directions that do not vary"
        )
    return L
