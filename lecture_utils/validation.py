"""Checks of what a user passes in; every error names the argument, the value and the remedy."""

import numpy as np
from scipy.linalg import lapack

SUM_TOLERANCE = 1e-9
SINGULAR = "a singular covariance has no density; leave out the directions that do not vary"


def as_float64(values, name):
    """Return `values` as a float64 array: numbers, lists of numbers, arrays or torch tensors.

    Raises
    ------
    ValueError
        For text, complex numbers, and lists whose entries have different lengths.
    """
    if hasattr(values, "detach"):  # a torch tensor, perhaps one that requires a gradient
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
        if array.dtype.kind in "cSUmM" or (
            array.dtype == object and any(entry is None for entry in array.flat)
        ):
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a number or an array of real numbers of one shape, "
            f"not this {type(values).__name__}"
        ) from None


def _broadcast(names, arrays, remedy):
    """Return the arrays in one shape; shapes that do not go together are refused by name."""
    try:
        return np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(f"{' and '.join(names)} have shapes {shapes}: {remedy}") from None


def as_distribution(p, name="p"):
    """Return `p` as a float64 array whose last axis holds probabilities that sum to one.

    Raises
    ------
    ValueError
        For no outcomes, NaN, a negative entry, or a sum that is not within 1e-9 of one.
    """
    given, p = p, as_float64(p, name)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(f"{name} must hold at least one outcome, but its shape is {p.shape}")
    if np.isnan(p).any():
        raise ValueError(f"{name} holds NaN: find out where it comes from, do not replace it")
    if (p < 0).any():
        raise ValueError(f"{name} holds {p.min():.6g}: probabilities cannot be negative")
    if not p.size:  # no distribution is a batch, too
        return p
    total = p.sum(axis=-1)
    worst = np.ravel(total)[np.argmax(np.abs(np.ravel(total) - 1))]
    if not abs(worst - 1) <= SUM_TOLERANCE:
        raise ValueError(
            f"{name} sums to {worst:.12g}, not to 1: {_how_to_sum_to_one(given, name)}"
        )
    return p


def _how_to_sum_to_one(given, name):
    """The remedy for what was given: numbers of 32 or 16 bits cannot sum to one closely enough."""
    if str(getattr(given, "dtype", "")).startswith("torch.") and "64" not in str(given.dtype):
        fewer, remedy = (
            given.dtype,
            f"{name} = {name}.double(); {name} = {name} / {name}.sum(-1, True)",
        )
    elif getattr(given, "dtype", None) in (np.float32, np.float16):
        fewer = given.dtype
        remedy = f"{name} = {name}.astype(float); {name} = {name} / {name}.sum(-1, keepdims=True)"
    elif np.isinf(as_float64(given, name)).any():
        return "a probability is at most 1"
    else:
        return "divide counts or weights by their sum"
    return f"{fewer} has too few digits, so make it float64 first, then divide: {remedy}"


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
        probability = as_float64(values, name)
        if not ((probability >= 0) & (probability <= 1)).all():
            raise ValueError(
                f"{name} holds a number outside [0, 1] or NaN: it must be a probability, such as "
                "the mean activation of a sigmoid unit"
            )
        checked.append(probability)
    remedy = "give one rho, or one for each rho_hat"
    return _broadcast(("rho", "rho_hat"), checked, remedy)


def as_log_densities(log_p, log_q, weights):
    """Return two log-densities on a grid as float64 arrays that each integrate to one.

    Raises
    ------
    ValueError
        For NaN, a shape that is not the grid's, or an integral that is not within 1e-9 of one.
    """
    checked = []
    for name, values in (("log_p", log_p), ("log_q", log_q)):
        log_density = as_float64(values, f"{name}(x)")
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


def as_log_samples(log_p, log_q):
    """Return the two log-densities of samples from P as float64 arrays of one shape (n,).

    Raises
    ------
    ValueError
        For fewer than two samples, shapes that differ, NaN, or a sample that P cannot produce.
    """
    log_p, log_q = as_float64(log_p, "log_p(x)"), as_float64(log_q, "log_q(x)")
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


def as_means(mean_p, mean_q):
    """Return two means as float64 arrays of one shape.

    Raises
    ------
    ValueError
        For NaN or infinite values, and shapes that do not go together.
    """
    mean_p, mean_q = as_float64(mean_p, "mean_p"), as_float64(mean_q, "mean_q")
    for name, mean in (("mean_p", mean_p), ("mean_q", mean_q)):
        if not np.isfinite(mean).all():
            raise ValueError(f"{name} holds NaN or an infinite value: a mean must be finite")
    return _broadcast(("mean_p", "mean_q"), (mean_p, mean_q), "both must have the same dimensions")


def as_gaussians(mean_p, std_p, mean_q, std_q):
    """Return means and standard deviations as float64 arrays of one shape.

    Raises
    ------
    ValueError
        For means that are not finite, standard deviations that are not positive and finite, and
        shapes that do not go together.
    """
    mean_p, mean_q = as_means(mean_p, mean_q)
    std_p, std_q = as_float64(std_p, "std_p"), as_float64(std_q, "std_q")
    for name, std in (("std_p", std_p), ("std_q", std_q)):
        wrong = std[~((std > 0) & np.isfinite(std))]
        if wrong.size:
            raise ValueError(
                f"{name} holds {wrong[0]:.6g}: a standard deviation must be positive and finite "
                "(did you pass a logarithm?)"
            )
    names = ("mean_p", "std_p", "mean_q", "std_q")
    remedy = "give one of each, or one of each for every Gaussian"
    return _broadcast(names, (mean_p, std_p, mean_q, std_q), remedy)


def as_cholesky(mean, cov, name):
    """Return the lower Cholesky factor of the covariance `cov` of a Gaussian with the given `mean`.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN, or a covariance that is not symmetric positive definite.
    """
    cov = as_float64(cov, name)
    if mean.ndim != 1 or not mean.size or cov.shape != (len(mean), len(mean)):
        raise ValueError(
            f"{name} has shape {cov.shape} for means of shape {mean.shape}: "
            "means of shape (k,), k at least 1, need covariances of shape (k, k)"
        )
    if not np.isfinite(cov).all():
        raise ValueError(f"{name} holds NaN or an infinite value")
    variances = np.diag(cov)
    if (variances < 0).any():
        raise ValueError(f"{name} holds the variance {variances.min():.6g}: it must be positive")
    if (variances == 0).any():
        raise ValueError(f"{name} is not positive definite: a variance is zero. {SINGULAR}")
    # The correlations decide: units, metres or millimetres, say nothing about what is singular.
    std = np.sqrt(variances)
    correlations = cov / std[:, None] / std
    if not np.allclose(correlations, correlations.T, rtol=0, atol=1e-9):
        raise ValueError(f"{name} is not symmetric: (cov + cov.T) / 2 is, if that is what you mean")
    L, failed = lapack.dpotrf(correlations, lower=True)
    # Rounding lets some singular matrices through; LAPACK's estimate of 1 / condition finds them.
    largest = np.abs(correlations).sum(0).max()
    if failed or lapack.dpocon(L, largest, uplo="L")[0] <= len(cov) * np.finfo(np.float64).eps:
        raise ValueError(
            f"{name} is not positive definite (the smallest eigenvalue of its correlations is zero "
            f"or negative): {SINGULAR}"
        )
    return std[:, None] * L
