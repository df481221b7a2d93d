"""Right and wrong answers to the exercises of lecture 02."""

import math
from fractions import Fraction

import numpy as np
from answers.collected import right, wrong
from scipy import stats
from scipy.special import rel_entr, softmax

from lecture_utils.divergences import kl_divergence


@right("kl_of_counts")
def by_entropy(counts_p, counts_q):
    return stats.entropy(counts_p, counts_q)


@right("kl_of_counts")
def with_exact_shares(counts_p, counts_q):
    n, m = int(sum(counts_p)), int(sum(counts_q))
    pairs = [(Fraction(int(a), n), Fraction(int(b), m)) for a, b in zip(counts_p, counts_q)]  # noqa: B905
    return sum(p * Fraction(math.log(p / q)) for p, q in pairs if p)


@right("kl_of_counts")
def with_nansum(counts_p, counts_q):
    p, q = counts_p / counts_p.sum(), counts_q / counts_q.sum()
    return np.nansum(p * np.log(p / q))  # a zero count is the only NaN here


@wrong("kl_of_counts", "this is the report's sum")
def pasted(counts_p, counts_q):
    return np.sum(counts_p * np.log(counts_p / counts_q))


@wrong("kl_of_counts", "do not clip")
def pasted_and_clipped(counts_p, counts_q):
    return max(0, np.sum(counts_p * np.log(counts_p / counts_q)))


@wrong("kl_of_counts", "do not clip")
def pasted_and_clipped_by_numpy(counts_p, counts_q):
    return np.maximum(np.sum(counts_p * np.log(counts_p / counts_q)), 0)


@wrong("kl_of_counts", "no abs")
def pasted_with_abs(counts_p, counts_q):
    return np.abs(np.sum(counts_p * np.log(counts_p / counts_q)))


@wrong("kl_of_counts", "this is the report's sum")
def pasted_with_nansum(counts_p, counts_q):
    return np.nansum(counts_p * np.log(counts_p / counts_q))


@wrong("kl_of_counts", "P sums to one now, and Q does not")
def only_p_divided(counts_p, counts_q):
    p = counts_p / np.sum(counts_p)
    return np.sum(p * np.log(p / counts_q))


@wrong("kl_of_counts", "Q sums to one now, and P does not")
def only_q_divided(counts_p, counts_q):
    q = counts_q / np.sum(counts_q)
    return np.sum(counts_p * np.log(counts_p / q))


@wrong("kl_of_counts", "counts were divided by one total")
def divided_afterwards(counts_p, counts_q):
    return np.sum(counts_p * np.log(counts_p / counts_q)) / counts_p.sum()


@wrong("kl_of_counts", "NaN, because")
def without_zeros(counts_p, counts_q):
    p, q = counts_p / counts_p.sum(), counts_q / counts_q.sum()
    return (p * np.log(p / q)).sum()


@wrong("kl_of_counts")
def with_epsilon(counts_p, counts_q):
    p, q = counts_p / counts_p.sum(), counts_q / counts_q.sum()
    return np.sum(p * np.log((p + 1e-6) / (q + 1e-6)))


@wrong("kl_of_counts")
def by_softmax(counts_p, counts_q):
    return rel_entr(softmax(counts_p), softmax(counts_q)).sum()


@right("pinsker_range")
def with_ifs(a, kl):
    d = (kl / 2) ** 0.5
    low, high = a - d, a + d
    if low < 0:
        low = 0
    if high > 1:
        high = 1
    return low, high


@right("pinsker_range")
def as_an_array(a, kl):
    return np.clip([a - np.sqrt(kl / 2), a + np.sqrt(kl / 2)], 0.0, 1.0)


@wrong("pinsker_range")
def bretagnolle_huber(a, kl):
    d = math.sqrt(1 - math.exp(-kl))
    return max(a - d, 0), min(a + d, 1)


@wrong("pinsker_range")
def swapped_caps(a, kl):
    d = math.sqrt(kl / 2)
    return max(a - d, 1), min(a + d, 0)


@wrong("pinsker_range")
def shifted_inside(a, kl):
    d = min(math.sqrt(kl / 2), a, 1 - a)
    return a - d, a + d


@wrong("pinsker_range")
def of_finite_kl_only(a, kl):
    if math.isinf(kl):
        return 0.0, 0.0
    return max(a - math.sqrt(kl / 2), 0), min(a + math.sqrt(kl / 2), 1)


@wrong("pinsker_range")
def open_ends(a, kl):
    return max(a - math.sqrt(kl / 2), 1e-6), min(a + math.sqrt(kl / 2), 1 - 1e-6)


@wrong("pinsker_range", "take the root")
def without_root(a, kl):
    return max(a - kl / 2, 0), min(a + kl / 2, 1)


@wrong("pinsker_range")
def modulo(a, kl):
    d = math.sqrt(kl / 2)
    return abs(a - d), min(a + d, 1)


@wrong("pinsker_range", "returned one value, 2 are asked for")
def one_end(a, kl):
    return max(a - math.sqrt(kl / 2), 0)


@right("nudge_coefficient")
def by_weighted_variance(p, v):
    return np.cov(v, aweights=p, ddof=0) / 2


@right("nudge_coefficient")
def by_fisher_matrix(p, v):
    return v @ (np.diag(p) - np.outer(p, p)) @ v / 2


@wrong("nudge_coefficient", "the half is missing")
def fisher_itself(p, v):
    return v @ (np.diag(p) - np.outer(p, p)) @ v


@wrong("nudge_coefficient", "diagonal of softmax's derivative")
def by_diagonal(p, v):
    h = p * (1 - p) * v
    return np.sum(h**2 / p) / 2


@wrong("nudge_coefficient")
def by_diagonal_of_fisher(p, v):
    return np.sum(p * (1 - p) * v**2) / 2


@wrong("nudge_coefficient")
def by_forward_difference(p, v):
    return kl_divergence(p, softmax(np.log(p) + 1e-3 * v)) / 1e-6


@wrong("nudge_coefficient")
def unbiased(p, v):
    return np.var(v, ddof=1) / 2


@wrong("nudge_coefficient")
def step_not_summing_to_zero(p, v):
    h = v - v.mean()
    return np.sum(h**2 / p) / 2


@wrong("nudge_coefficient", "your h is p v")
def second_moment(p, v):
    return np.sum(p * v**2) / 2


@wrong("nudge_coefficient")
def in_single_precision(p, v):
    p, v = p.astype(np.float32), v.astype(np.float32)
    return np.float16(p @ (v - p @ v) ** 2 / 2)
