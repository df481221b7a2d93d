"""Exercises on Gaussians: given by precisions, against N(0, I), and alike both ways."""

import math

import numpy as np
from scipy.linalg import eigh, solve_triangular
from scipy.optimize import brentq

from lecture_utils.exercises.exercise import Exercise

LN2 = np.log(2)


def positive_definite(rng, k, scale=1.0):
    root = rng.normal(size=(k, k))
    return scale * (root @ root.T / k + np.eye(k) / 2)


def precisions_cases(rng):
    four = np.array([[4.0]])
    fixed = [(np.array([0.0]), four, np.array([1.0]), four)]
    fixed += [
        (np.array([1, 2]), np.array([[2, 1], [1, 3]]), np.array([0, 4]), 4 * np.eye(2, dtype=int))
    ]
    fixed += [(np.ones(3), np.eye(3) / 2, np.ones(3), np.eye(3) / 2)]
    narrow, wide = positive_definite(rng, 50), positive_definite(rng, 50, 1e-8)
    fixed.append((rng.normal(size=50), narrow, 1e4 * rng.normal(size=50), wide))
    for k, scale in ((2, 1), (3, 1), (20, 1e-18)):  # the last determinants are below 1e-324
        mean_p, mean_q = rng.normal(size=(2, k)) / np.sqrt(scale)
        precision_p, precision_q = (positive_definite(rng, k, scale) for _ in range(2))
        fixed.append((mean_p, precision_p, mean_q, precision_q))
    return fixed


def kl_of_precisions_eigen(mean_p, precision_p, mean_q, precision_q):
    """One KL of 1-D Gaussians for each direction in which both ellipsoids have an axis."""
    ratio, axes = eigh(precision_q, precision_p)
    z = np.linalg.solve(axes, mean_q - mean_p)
    return (ratio - 1 - np.log(ratio) + ratio * z**2).sum() / 2


def kl_of_precisions_cholesky(mean_p, precision_p, mean_q, precision_q):
    R_p, R_q = np.linalg.cholesky(precision_p), np.linalg.cholesky(precision_q)
    A = solve_triangular(R_p, R_q, lower=True)
    z = R_q.T @ (mean_q - mean_p)
    return (A**2).sum() / 2 + (z**2).sum() / 2 - len(z) / 2 - np.log(np.diag(A)).sum()


def log_det(matrix):
    return np.linalg.slogdet(matrix)[1]


def of_terms(combine):
    """Turn a combination of trace, distance, dimension and log ratio into an answer.

    The answer of `t + d - k + r`, halved, is right.
    """

    def answer(mean_p, precision_p, mean_q, precision_q):
        trace = np.trace(np.linalg.solve(precision_p, precision_q))
        distance = (mean_q - mean_p) @ precision_q @ (mean_q - mean_p)
        log_ratio = log_det(precision_p) - log_det(precision_q)
        return combine(trace, distance, len(mean_p), log_ratio)

    return answer


right_precisions = of_terms(lambda t, d, k, r: (t + d - k + r) / 2)


def with_covariances(mean_p, precision_p, mean_q, precision_q):
    inverses = np.linalg.inv(precision_p), np.linalg.inv(precision_q)
    return right_precisions(mean_p, inverses[0], mean_q, inverses[1])


def with_trace_of_inverse(mean_p, precision_p, mean_q, precision_q):
    wrong = np.trace(np.linalg.solve(precision_q, precision_p))
    of_rest = of_terms(lambda t, d, k, r: (wrong + d - k + r) / 2)
    return of_rest(mean_p, precision_p, mean_q, precision_q)


def with_distance(in_units):
    """An answer that is right, but for the matrix in the distance of the means."""

    def answer(mean_p, precision_p, mean_q, precision_q):
        step = mean_q - mean_p
        wrong = step @ in_units(precision_p, precision_q) @ step
        of_rest = of_terms(lambda t, d, k, r: (t + wrong - k + r) / 2)
        return of_rest(mean_p, precision_p, mean_q, precision_q)

    return answer


def with_determinants(log_ratio):
    """An answer that is right, but for the log ratio of the determinants."""

    def answer(mean_p, precision_p, mean_q, precision_q):
        wrong = log_ratio(precision_p, precision_q)
        of_rest = of_terms(lambda t, d, k, r: (t + d - k + wrong) / 2)
        return of_rest(mean_p, precision_p, mean_q, precision_q)

    return answer


det, inv = np.linalg.det, np.linalg.inv
UNDERFLOWING = (
    lambda p, q: np.log(det(p) / det(q)),
    lambda p, q: np.log(det(p)) - np.log(det(q)),
    lambda p, q: np.log(det(inv(q)) / det(inv(p))),
    lambda p, q: np.log(det(inv(q))) - np.log(det(inv(p))),
    lambda p, q: -np.log(det(np.linalg.solve(p, q))),
    lambda p, q: np.log(det(np.linalg.solve(q, p))),
    lambda p, q: np.log(np.prod(np.linalg.eigvalsh(p)) / np.prod(np.linalg.eigvalsh(q))),
)


KL_OF_PRECISIONS = Exercise(
    name="kl_of_precisions",
    cases=precisions_cases,
    oracle=kl_of_precisions_eigen,
    second_answer=kl_of_precisions_cholesky,
    mistakes=(
        (
            with_covariances,
            "the precisions serve as covariances: they are the inverses of covariances",
        ),
        (
            with_trace_of_inverse,
            "the trace has the inverse of the wrong one: cov_q^-1 is precision_q, and cov_p is the "
            "inverse of precision_p",
        ),
        (
            of_terms(lambda t, d, k, r: (t + d + r) / 2),
            "k is missing: subtract the number of dimensions, so that equal Gaussians give zero",
        ),
        (
            of_terms(lambda t, d, k, r: (t + d - k - r) / 2),
            "the log ratio is flipped: |cov_q| / |cov_p| is |precision_p| / |precision_q|",
        ),
        *(
            (
                with_determinants(log_ratio),
                "right in few dimensions, but in many a determinant is zero or infinite to the "
                "computer: use np.linalg.slogdet or a Cholesky factor",
            )
            for log_ratio in UNDERFLOWING
        ),
        (
            lambda mean_p, precision_p, mean_q, precision_q: right_precisions(
                mean_q, precision_q, mean_p, precision_p
            ),
            "this is KL(Q||P): P comes first",
        ),
        (of_terms(lambda t, d, k, r: t + d - k + r), "the factor one half is missing"),
        (
            of_terms(lambda t, d, k, r: (t + d - k + r) / 2 / LN2),
            "this is in bits: use the natural logarithm",
        ),
        (
            of_terms(lambda t, d, k, r: (t + d - k + r) / 2 / k),
            "this is divided by the number of dimensions: a KL is a sum over them",
        ),
        (
            of_terms(lambda t, d, k, r: (t - k + r) / 2),
            "the distance of the means is missing",
        ),
        (
            of_terms(lambda t, d, k, r: (t + d - k) / 2),
            "the log ratio of the determinants is missing",
        ),
        (
            with_distance(lambda precision_p, precision_q: precision_p),
            "the distance of the means is in units of P: Q's surprise counts, take precision_q",
        ),
        (
            with_distance(lambda precision_p, precision_q: np.linalg.inv(precision_q)),
            "the distance of the means has cov_q in the middle: it needs the precision",
        ),
        (
            with_distance(lambda precision_p, precision_q: np.eye(len(precision_q))),
            "the distance of the means is in no units: put precision_q in the middle",
        ),
        (
            of_terms(lambda t, d, k, r: (k - t - d - r) / 2),
            "the sign is flipped: no KL is negative",
        ),
    ),
    hints=(
        "Write the deck's formula down and replace each covariance by the inverse of a precision. "
        "Which inverses are left?",
        "Only cov_p is still an inverse: np.linalg.solve(precision_p, precision_q) has the trace "
        "that is asked for. And 1 / |A| is the determinant of the inverse of A.",
        "Half of: trace of solve(precision_p, precision_q), plus the distance with precision_q in "
        "the middle, minus k, plus the log-determinant of precision_p, minus that of precision_q "
        "(np.linalg.slogdet gives the sign and the log-determinant).",
    ),
    discovery="double both precisions: what does the KL do when the means are equal, and what when "
    "they differ?",
)


def standard_normal_cases(rng):
    fixed = [(np.array([[0.0, 0.0], [-1.0, 0.0]]), np.zeros((2, 2)))]
    fixed += [
        (np.array([[3, 0, 1]]), np.array([[-30, 20, 0]])),
        (np.array([[2.0], [1]]), np.ones((2, 1))),
    ]
    fixed += [(np.array([[0.0, 1e3]]), np.array([[-300.0, 0]]))]
    shapes = (5, 3), (1, 4), (7, 2)
    return fixed + [(rng.normal(size=shape), rng.normal(size=shape) * 2) for shape in shapes]


def kl_by_nodes(mean, log_var):
    """Three Gauss-Hermite nodes: exact, because log q/p is a square in z."""
    z, weights = np.sqrt(3) * np.array([-1, 0, 1]), np.array([1, 4, 1]) / 6
    x = mean[..., None] + np.exp(log_var / 2)[..., None] * z
    return ((x**2 - z**2 - log_var[..., None]) / 2 @ weights).sum(axis=1)


def kl_to_standard_normal_loop(mean, log_var):
    return [
        sum(
            math.log(1 / std) + (std**2 + m**2) / 2 - 1 / 2
            for m, std in zip(means, map(math.exp, log_vars / 2), strict=True)
        )
        for means, log_vars in zip(mean, log_var, strict=True)
    ]


def one_latent(mean, log_var):
    return (np.exp(log_var) + mean**2 - 1 - log_var) / 2


def summed(formula):
    return lambda mean, log_var: formula(mean, log_var).sum(axis=1)


KL_TO_STANDARD_NORMAL = Exercise(
    name="kl_to_standard_normal",
    cases=standard_normal_cases,
    oracle=kl_by_nodes,
    second_answer=kl_to_standard_normal_loop,
    mistakes=(
        (
            summed(lambda mean, log_var: (log_var**2 + mean**2 - 1 - np.log(log_var**2)) / 2),
            "log_var serves as a standard deviation: the variance is exp(log_var)",
        ),
        (
            summed(lambda mean, log_var: (log_var + mean**2 - 1 - np.log(log_var)) / 2),
            "log_var serves as a variance: the variance is exp(log_var)",
        ),
        (
            summed(lambda mean, log_var: one_latent(mean, 2 * log_var)),
            "log_var serves as the logarithm of std: exp(log_var) is the variance already",
        ),
        (
            summed(lambda mean, log_var: (np.exp(log_var / 2) + mean**2 - 1 - log_var) / 2),
            "the first term is a standard deviation: the variance is exp(log_var)",
        ),
        (
            lambda mean, log_var: one_latent(mean, log_var).mean(axis=1),
            "this is a mean over the dimensions: a KL is a sum over them",
        ),
        (
            summed(lambda mean, log_var: -one_latent(mean, log_var)),
            "the sign is flipped: no KL is negative",
        ),
        (
            lambda mean, log_var: one_latent(mean, log_var).sum(),
            "this is summed over the examples, too: return one number per example",
        ),
        (
            lambda mean, log_var: one_latent(mean, log_var).sum(axis=1).mean(),
            "this is the mean over the examples: return one number per example",
        ),
        (
            lambda mean, log_var: one_latent(mean, log_var).mean(),
            "this is one number for all: sum over the dimensions only, axis=1",
        ),
        (
            lambda mean, log_var: one_latent(mean, log_var).sum(axis=0),
            "this is summed over the examples: sum over the dimensions, axis=1",
        ),
        (one_latent, "this is one number for each dimension: sum over them, axis=1"),
        (
            summed(lambda mean, log_var: 2 * one_latent(mean, log_var)),
            "the factor one half is missing",
        ),
        (
            summed(lambda mean, log_var: one_latent(mean, log_var) + 1 / 2),
            "the 1 is missing: N(0, 1) must get zero",
        ),
        (
            summed(lambda mean, log_var: one_latent(mean, log_var) - mean**2 / 2 + mean / 2),
            "the mean is not squared",
        ),
        (
            summed(lambda mean, log_var: one_latent(mean, log_var) + log_var),
            "log_var is added: subtract it",
        ),
        (
            summed(lambda mean, log_var: one_latent(mean, log_var) / LN2),
            "this is in bits: use the natural logarithm",
        ),
        (
            summed(lambda mean, log_var: (np.exp(-log_var) * (1 + mean**2) - 1 + log_var) / 2),
            "this is the KL of N(0, I) from the code, swapped: the code comes first",
        ),
    ),
    hints=(
        "Take one example first: a row of `mean` and a row of `log_var`.",
        "The variance is np.exp(log_var), and the logarithm of the variance is log_var itself: no "
        "further logarithm is needed.",
        "Compute the lecture's bracket for all entries at once, halve it, and sum over axis 1.",
    ),
    discovery="one dimension, mean 0: which costs more, a std of 2 or one of 1/2?",
)


def ellipse(rng):
    """A covariance that is long in one random direction and short in the other."""
    axes = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    return axes * rng.uniform((0.2, 1.5), (0.6, 3)) @ axes.T


def agree_cases(rng):
    return [
        (np.diag([4.0, 1.0]), np.eye(2)),
        (np.diag([4, 1]), np.array([[2, 1], [1, 3]])),
        (np.diag([4e3, 1e3]), np.eye(2)),
        (np.diag([4e-3, 1e-3]), np.array([[2.0, 1], [1, 3]])),
        (1e-9 * np.diag([4.0, 1.0]), 1e-9 * np.array([[2.0, 1], [1, 3]])),
        (ellipse(rng), 5 * ellipse(rng)),
        (3 * ellipse(rng), ellipse(rng)),
    ]


def agree_by_search(cov_p, cov_q):
    t = np.log(eigh(cov_p, cov_q, eigvals_only=True))
    shift = brentq(lambda s: (np.sinh(t - s) - (t - s)).sum(), t.min(), t.max(), xtol=1e-14)
    return np.exp(shift), (np.expm1(t - shift) - (t - shift)).sum() / 2


def kl_of_covariances(cov_p, cov_q):
    trace = np.trace(np.linalg.solve(cov_q, cov_p))
    return (trace - len(cov_p) + log_det(cov_q) - log_det(cov_p)) / 2


def agree_by_area(cov_p, cov_q):
    """In the plane both KL agree where both ellipses have the same area."""
    (a, b), (_, d) = cov_p
    (e, f), (_, h) = cov_q
    factor = math.sqrt((a * d - b * b) / (e * h - f * f))
    return factor, (h * a - 2 * f * b + e * d) / (e * h - f * f) / factor / 2 - 1


def with_factor(choose):
    """A wrong factor, and the KL that goes with it, P first or last."""
    return [
        lambda cov_p, cov_q: (c := choose(cov_p, cov_q), kl_of_covariances(cov_p, c * cov_q)),
        lambda cov_p, cov_q: (c := choose(cov_p, cov_q), kl_of_covariances(c * cov_q, cov_p)),
    ]


def right_factor(cov_p, cov_q):
    return agree_by_area(cov_p, cov_q)[0]


WRONG_FACTORS = (
    (
        lambda cov_p, cov_q: right_factor(cov_p, cov_q) ** 2,
        "your factor is too large or too small by a square: c changes both variances, the "
        "determinant changes by c squared",
    ),
    (
        lambda cov_p, cov_q: 1 / right_factor(cov_p, cov_q),
        "this is the factor for cov_p: scale cov_q",
    ),
    (
        lambda cov_p, cov_q: np.sqrt(right_factor(cov_p, cov_q)),
        "this is the factor of the standard deviations: scale the covariance",
    ),
    (
        lambda cov_p, cov_q: np.trace(cov_p) / np.trace(cov_q),
        "your factor makes the traces equal: are both KL the same then?",
    ),
    (
        lambda cov_p, cov_q: np.trace(np.linalg.solve(cov_q, cov_p)) / 2,
        "your factor makes KL(P||Q) smallest: make it equal to KL(Q||P)",
    ),
    (
        lambda cov_p, cov_q: 2 / np.trace(np.linalg.solve(cov_p, cov_q)),
        "your factor makes KL(Q||P) smallest: make it equal to KL(P||Q)",
    ),
    (
        lambda cov_p, cov_q: cov_p[0, 0] / cov_q[0, 0],
        "your factor makes the first variances equal: are both KL the same then?",
    ),
    (lambda cov_p, cov_q: 1.0, "nothing is scaled: multiply cov_q by a factor"),
    (
        lambda cov_p, cov_q: np.clip(right_factor(cov_p, cov_q), 0.1, 10),
        "your search ends at 0.1 and 10, and the factor may be anything above zero: search its "
        "logarithm, in a wide range",
    ),
)


def with_kl(change):
    """The right factor, and a KL that is not."""
    return lambda cov_p, cov_q: change(*agree_by_area(cov_p, cov_q), cov_p, cov_q)


AGREE_BOTH_WAYS = Exercise(
    name="agree_both_ways",
    cases=agree_cases,
    oracle=agree_by_search,
    second_answer=agree_by_area,
    tolerance=5e-6,
    mistakes=(
        (
            lambda cov_p, cov_q: agree_by_area(cov_p @ cov_p, cov_q @ cov_q),
            "the covariances serve as standard deviations: they hold variances already",
        ),
        *((answer, message) for choose, message in WRONG_FACTORS for answer in with_factor(choose)),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (c, kl + 1)),
            "the factor is right, but the KL lacks the -k: subtract the number of dimensions",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (c, 2 * kl)),
            "the factor is right, but the KL is twice too large: is the one half missing, or did "
            "you add both orders?",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (c, kl / LN2)),
            "the factor is right, but the KL is in bits: use the natural logarithm",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (c, kl_of_covariances(cov_p, cov_q))),
            "the factor is right, but the KL is that without it: scale cov_q first",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (c, kl_of_covariances(cov_q, cov_p))),
            "the factor is right, but the KL is that without it: scale cov_q first",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (np.log(c), kl)),
            "this is the logarithm of the factor: return the factor",
        ),
        (
            with_kl(lambda c, kl, cov_p, cov_q: (kl, c)),
            "the two values are swapped: the factor comes first",
        ),
    ),
    hints=(
        "For a very small factor, which of the two KL is larger? And for a very large one?",
        "Write gap(log_factor), the difference of the two KL. It changes its sign once, and "
        "scipy.optimize.brentq finds where, also in a range as wide as -10 to 10.",
        "Or by thought: at the factor that is sought the logarithms of the determinants must "
        "cancel. In the plane c multiplies a determinant by c squared.",
    ),
    discovery="compare your factor with the root of det(cov_p) / det(cov_q), and look for a "
    "reason. Does it hold in three dimensions?",
)

EXERCISES = (KL_OF_PRECISIONS, KL_TO_STANDARD_NORMAL, AGREE_BOTH_WAYS)
