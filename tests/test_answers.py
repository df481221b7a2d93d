"""Answers as students write them, from the words of the tasks alone: exercises of 01 to 07.

A wrong answer must never pass; many fail in one fixed case only, that of one sentence of the task.
A right one passes in whatever style it is written.
"""

import math
import re
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.linalg import sqrtm
from scipy.special import rel_entr, softmax

from lecture_utils.divergences import kl_divergence, kl_divergence_gaussian
from lecture_utils.exercises import judge
from lecture_utils.exercises.exercise import Wrong
from lecture_utils.exercises.registry import find

N_CHECKS = 5  # of each answer
WRONG, RIGHT = [], []  # (exercise, answer, what the message must hold)


def wrong(name, message=""):
    def keep(answer):
        WRONG.append(pytest.param(name, answer, message, id=f"{name}-{answer.__name__}"))
        return answer

    return keep


def right(name):
    def keep(answer):
        RIGHT.append(pytest.param(name, answer, id=f"{name}-{answer.__name__}"))
        return answer

    return keep


# 01 ----------------------------------------------------------------------------------------------


@right("extra_bits")
def with_fractions(counts, lengths):
    total = sum(Fraction(int(n)) for n in counts)
    shares = [Fraction(int(n)) / total for n in counts]
    return sum(
        float(p) * (float(n) + math.log2(p)) for p, n in zip(shares, lengths, strict=True) if p
    )


@right("extra_bits")
def by_scipy_entropy(counts, lengths):
    return stats.entropy(counts, 2.0**-lengths, base=2)


@right("extra_bits")
def with_nan_to_num(counts, lengths):
    p = counts / np.sum(counts)
    return np.dot(p, lengths) + np.nan_to_num(p * np.log2(p)).sum()


@right("extra_bits")
def with_where(counts, lengths):
    p = counts / counts.sum()
    return (p * lengths).sum() - stats.entropy(p, base=2)


@wrong("extra_bits", r"Integers to negative integer powers .* make the base a float, 2\.0")
def with_integer_powers(counts, lengths):
    p, q = counts / counts.sum(), 2**-lengths
    return rel_entr(p, q).sum() / np.log(2)


@wrong("extra_bits", r"this is KL\(Q\|\|P\), swapped")
def swapped(counts, lengths):
    p, q = counts / counts.sum(), 2.0**-lengths
    return (q * np.log2(q / p)).sum()


@wrong("extra_bits", r"this is KL\(Q\|\|P\), swapped")
def swapped_where_seen(counts, lengths):
    p, q = counts / counts.sum(), 2.0**-lengths
    return sum(b * math.log2(b / a) for a, b in zip(p, q, strict=True) if a > 0)


@wrong("extra_bits", "the best code with a word for each letter")
def huffman(counts, lengths):
    heap, bits = sorted(int(n) for n in counts if n > 0), 0
    while len(heap) > 1:
        a, b, *heap = heap
        heap = sorted([*heap, a + b])
        bits += a + b
    return (counts @ lengths - bits) / counts.sum()


@wrong("extra_bits")
def with_uniform_entropy(counts, lengths):
    return counts / counts.sum() @ lengths - np.log2(len(counts))


@wrong("extra_bits")
def entropy_of_the_code(counts, lengths):
    q = 2.0**-lengths
    return counts / counts.sum() @ lengths - stats.entropy(q, base=2)


@wrong("extra_bits")
def divided_by_letters_in_use(counts, lengths):
    p = counts / counts.sum()
    return (rel_entr(p, 2.0**-lengths) / np.log(2)).mean()


@wrong("extra_bits")
def with_pseudo_counts(counts, lengths):
    p = (counts + 1e-3) / (counts + 1e-3).sum()
    return p @ (lengths + np.log2(p))


@wrong("extra_bits")
def only_letters_that_occur_of_the_code(counts, lengths):
    p, q = counts[counts > 0] / counts.sum(), 2.0 ** -lengths[counts > 0]
    return (p * np.log2(p / (q / q.sum()))).sum()


@wrong("extra_bits")
def rounded(counts, lengths):
    p = counts / counts.sum()
    return round(float(stats.entropy(p, 2.0**-lengths, base=2)), 4)


@wrong("extra_bits", "your answer is NaN|NaN, because")
def without_care_for_zeros(counts, lengths):
    p = counts / counts.sum()
    return p @ lengths + np.sum(p * np.log2(p))


@right("both_orders")
def by_sem(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return np.array([a.mean(), b.mean(), np.hypot(stats.sem(a), stats.sem(b))])


@right("both_orders")
def as_a_list(log_p, log_q, x_p, x_q):
    there = [float(log_p(x) - log_q(x)) for x in x_p]
    back = [float(log_q(x) - log_p(x)) for x in x_q]
    se = np.sqrt(np.var(there, ddof=1) / len(there) + np.var(back, ddof=1) / len(back))
    return [np.mean(there), np.mean(back), se]


@wrong("both_orders", "pooled")
def pooled_spread(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    both = np.concatenate([a, b])
    return a.mean(), b.mean(), both.std(ddof=1) * np.sqrt(1 / len(a) + 1 / len(b))


@wrong("both_orders")
def one_number_of_samples(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))


@wrong("both_orders", "raised ValueError")
def paired(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), (a - b).std(ddof=1) / np.sqrt(len(a))


@wrong("both_orders", "the samples are independent and not pairs")
def paired_as_far_as_it_goes(log_p, log_q, x_p, x_q):
    n = min(len(x_p), len(x_q))
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), (a[:n] - b[:n]).std(ddof=1) / np.sqrt(n)


@wrong("both_orders", "errors do not subtract")
def difference_of_errors(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), abs(stats.sem(a) - stats.sem(b))


@wrong("both_orders")
def mean_of_errors(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), (stats.sem(a) + stats.sem(b)) / 2


@wrong("both_orders")
def of_all_samples(log_p, log_q, x_p, x_q):
    x = np.concatenate([x_p, x_q])
    terms = log_p(x) - log_q(x)
    return terms.mean(), -terms.mean(), stats.sem(terms)


@wrong("both_orders")
def weighted_with_density(log_p, log_q, x_p, x_q):
    a = np.exp(log_p(x_p)) * (log_p(x_p) - log_q(x_p))
    b = np.exp(log_q(x_q)) * (log_q(x_q) - log_p(x_q))
    return a.mean(), b.mean(), np.hypot(stats.sem(a), stats.sem(b))


@wrong("both_orders", "variance")
def variance_of_difference(log_p, log_q, x_p, x_q):
    a, b = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
    return a.mean(), b.mean(), a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)


@wrong("both_orders", "returned 2 values, 3 are asked for")
def without_error(log_p, log_q, x_p, x_q):
    return np.mean(log_p(x_p) - log_q(x_p)), np.mean(log_q(x_q) - log_p(x_q))


@right("kl_of_samples")
def by_statistics(x_p, x_q):
    p, q = stats.norm(*stats.norm.fit(x_p)), stats.norm(*stats.norm.fit(x_q))
    return -p.entropy() - np.mean(q.logpdf(x_p))


@right("kl_of_samples")
def by_formula(x_p, x_q):
    m, s, n, t = x_p.mean(), x_p.std(), x_q.mean(), x_q.std()
    return math.log(t / s) + (s * s + (m - n) ** 2) / (2 * t * t) - 0.5


@wrong("kl_of_samples")
def by_histogram(x_p, x_q):
    low, high = min(x_p.min(), x_q.min()), max(x_p.max(), x_q.max())
    p, q = (np.histogram(x, 30, (low, high))[0] + 1 for x in (x_p, x_q))
    return stats.entropy(p, q)


@wrong("kl_of_samples", "samples still serve as probabilities")
def published_in_nats(x_p, x_q):
    return abs(np.nansum(np.sort(x_p) * np.log(np.sort(x_p) / np.sort(x_q))))


@wrong("kl_of_samples")
def divided_twice(x_p, x_q):
    p, q = stats.norm(x_p.mean(), x_p.std()), stats.norm(x_q.mean(), x_q.std())
    return np.sum(p.pdf(x_p) * np.log(p.pdf(x_p) / q.pdf(x_p))) / len(x_p)


@wrong("kl_of_samples")
def densities_as_shares(x_p, x_q):
    p = stats.norm(x_p.mean(), x_p.std()).pdf(x_p)
    q = stats.norm(x_q.mean(), x_q.std()).pdf(x_p)
    return stats.entropy(p, q)


@wrong("kl_of_samples")
def with_one_spread(x_p, x_q):
    s = np.concatenate([x_p - x_p.mean(), x_q - x_q.mean()]).std()
    return (x_p.mean() - x_q.mean()) ** 2 / (2 * s * s)


@wrong("kl_of_samples", "two calls with the same arguments|is off by|your answer")
def by_new_samples(x_p, x_q):
    p, q = stats.norm(x_p.mean(), x_p.std()), stats.norm(x_q.mean(), x_q.std())
    x = p.rvs(100_000)
    return np.mean(p.logpdf(x) - q.logpdf(x))


@wrong("kl_of_samples")
def by_median(x_p, x_q):
    p, q = stats.norm(x_p.mean(), x_p.std()), stats.norm(x_q.mean(), x_q.std())
    return np.median(p.logpdf(x_p) - q.logpdf(x_p))


@wrong("kl_of_samples")
def jeffreys(x_p, x_q):
    p, q = stats.norm(x_p.mean(), x_p.std()), stats.norm(x_q.mean(), x_q.std())
    return (np.mean(p.logpdf(x_p) - q.logpdf(x_p)) + np.mean(q.logpdf(x_q) - p.logpdf(x_q))) / 2


# 02 ----------------------------------------------------------------------------------------------


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


# 03 ----------------------------------------------------------------------------------------------


@right("way_in_legs")
def leg_by_leg(p, q, n_legs):
    ends = [(1 - i / n_legs) * p + i / n_legs * q for i in range(n_legs + 1)]
    return sum(kl_divergence(a, b) for a, b in pairwise(ends))


@right("way_in_legs")
def by_steps(p, q, n_legs):
    step, here, length = (q - p) / n_legs, p.copy(), 0.0
    for _ in range(n_legs - 1):
        length += np.sum(here * np.log(here / (here + step)))
        here = here + step
    return length + np.sum(here * np.log(here / q))


@wrong("way_in_legs", "index -1 is its last entry")
def around(p, q, n_legs):
    ends = [(1 - i / n_legs) * p + i / n_legs * q for i in range(n_legs + 1)]
    return sum(kl_divergence(ends[i - 1], ends[i]) for i in range(n_legs + 1))


@wrong("way_in_legs", "the last leg is missing")
def range_too_short(p, q, n_legs):
    ends = [(1 - i / n_legs) * p + i / n_legs * q for i in range(n_legs)]
    return sum(rel_entr(ends[i - 1], ends[i]).sum() for i in range(1, n_legs))


@wrong("way_in_legs")
def with_arange(p, q, n_legs):
    t = np.arange(0, 1 + 1 / n_legs, 1 / n_legs)[:, None]
    ends = (1 - t) * p + t * q
    return rel_entr(ends[:-1], ends[1:]).sum()


@wrong("way_in_legs")
def first_leg_times_n(p, q, n_legs):
    return n_legs * kl_divergence(p, p + (q - p) / n_legs)


@wrong("way_in_legs")
def averaged_one_step(p, q, n_legs):
    length, here = 0, p
    for _ in range(n_legs):
        there = (here + q) / 2
        length += kl_divergence(here, there)
        here = there
    return length


@wrong("way_in_legs")
def halving(p, q, n_legs):
    length, here = 0, p
    for _ in range(n_legs - 1):
        length += kl_divergence(here, (here + q) / 2)
        here = (here + q) / 2
    return length + kl_divergence(here, q)


@wrong("way_in_legs")
def divided(p, q, n_legs):
    return kl_divergence(p, q) / n_legs


@wrong("way_in_legs", "each leg is walked backwards")
def from_q(p, q, n_legs):
    t = np.linspace(0, 1, n_legs + 1)[:, None]
    ends = t * p + (1 - t) * q
    return kl_divergence(ends[:-1], ends[1:]).sum()


@right("nearest_belief")
def by_search(p, event, c):
    if p[event].sum() >= c:
        return p

    def inside(lam):
        return softmax(np.log(p) + lam * event)[event].sum()

    lam = optimize.brentq(lambda lam: inside(lam) - c, 0, 100, xtol=1e-14, rtol=1e-14)
    return softmax(np.log(p) + lam * event)


@right("nearest_belief")
def in_place(p, event, c):
    q, a = p.copy(), p[event].sum()
    c = max(a, c)
    q[event] *= c / a
    q[~event] *= (1 - c) / (1 - a)
    return q.tolist()


@wrong("nearest_belief", "P was moved although")
def always_moved(p, event, c):
    a = p[event].sum()
    return np.where(event, p * c / a, p * (1 - c) / (1 - a))


@wrong("nearest_belief", "squared differences")
def gain_shared(p, event, c):
    a = p[event].sum()
    if a >= c:
        return p
    return p + (c - a) * np.where(event, 1 / event.sum(), -1 / (~event).sum())


@wrong("nearest_belief")
def least_squares(p, event, c):
    if p[event].sum() >= c:
        return p
    sums = (
        {"type": "eq", "fun": lambda q: q.sum() - 1},
        {"type": "ineq", "fun": lambda q: q[event].sum() - c},
    )
    return optimize.minimize(
        lambda q: ((q - p) ** 2).sum(), p, bounds=[(0, 1)] * len(p), constraints=sums
    ).x


@wrong("nearest_belief")
def forward_projection_by_odds(p, event, c):
    a = p[event].sum()
    return np.where(event, p * max(c, a), p * (1 - max(c, a)))


@wrong("nearest_belief", "does not sum to one")
def only_inside(p, event, c):
    a = p[event].sum()
    return p * np.where(event, max(c / a, 1), 1)


@wrong("nearest_belief")
def wrong_factor_outside(p, event, c):
    a = p[event].sum()
    return p if a >= c else np.where(event, p * c / a, p * (1 - c) / a)


@wrong("nearest_belief")
def search_not_wide_enough(p, event, c):
    if p[event].sum() >= c:
        return p
    lams = np.linspace(0, 10, 100_001)
    inside = p[event].sum() * np.exp(lams)
    lam = lams[np.argmin(abs(inside / (inside + p[~event].sum()) - c))]
    return softmax(np.log(p) + lam * event)


@wrong("nearest_belief", "single number|has shape")
def one_probability(p, event, c):
    return max(p[event].sum(), c)


@right("saving_off_the_segment")
def by_logs(p, q, t):
    log_r = (1 - t) * np.log(p) + t * np.log(q)
    log_r -= np.log(np.exp(log_r).sum())
    return p @ (log_r - np.log(q)) - np.exp(log_r) @ (log_r - np.log(q))


@right("saving_off_the_segment")
def in_plain_python(p, q, t):
    r = [a ** (1 - t) * b**t for a, b in zip(p, q, strict=True)]
    r = [x / sum(r) for x in r]

    def kl(a, b):
        return math.fsum(x * math.log(x / y) for x, y in zip(a, b, strict=True))

    return kl(p, q) - kl(p, r) - kl(r, q)


@wrong("saving_off_the_segment")
def of_harmonic_means(p, q, t):
    r = 1 / ((1 - t) / p + t / q)
    r /= r.sum()
    return kl_divergence(p, q) - kl_divergence(p, r) - kl_divergence(r, q)


@wrong("saving_off_the_segment", "on the segment")
def of_the_mixture(p, q, t):
    r = (1 - t) * p + t * q
    return kl_divergence(p, q) - kl_divergence(p, r) - kl_divergence(r, q)


@wrong("saving_off_the_segment")
def never_negative(p, q, t):
    r = p ** (1 - t) * q**t
    return max(rel_entr(p, q).sum() - rel_entr(p, r).sum() - rel_entr(r, q).sum(), 0)


@wrong("saving_off_the_segment", "does not sum to one")
def not_divided(p, q, t):
    r = p ** (1 - t) * q**t
    return rel_entr(p, q).sum() - rel_entr(p, r).sum() - rel_entr(r, q).sum()


@wrong("saving_off_the_segment")
def as_a_share(p, q, t):
    r = p ** (1 - t) * q**t / np.sum(p ** (1 - t) * q**t)
    return 1 - (kl_divergence(p, r) + kl_divergence(r, q)) / kl_divergence(p, q)


@wrong("saving_off_the_segment", "is swapped|are swapped")
def with_t_swapped(p, q, t):
    r = p**t * q ** (1 - t)
    r = r / r.sum()
    return kl_divergence(p, q) - kl_divergence(p, r) - kl_divergence(r, q)


# 04 ----------------------------------------------------------------------------------------------


@right("coin_information")
def by_joint(p, q, w):
    joint = np.array([w * p, (1 - w) * q])
    product = np.outer([w, 1 - w], joint.sum(axis=0))
    return rel_entr(joint, product).sum()


@right("coin_information")
def by_bayes(p, q, w):
    m = w * p + (1 - w) * q
    left = sum(
        m[x] * stats.entropy([w * p[x] / m[x], (1 - w) * q[x] / m[x]])
        for x in range(len(m))
        if m[x]
    )
    return stats.entropy([w, 1 - w]) - left


@wrong("coin_information", "this is JS, of a fair coin")
def js(p, q, w):
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


@wrong("coin_information", "your answer is NaN")
def naive_logs(p, q, w):
    m = w * p + (1 - w) * q
    return w * np.sum(p * np.log(p / m)) + (1 - w) * np.sum(q * np.log(q / m))


@wrong("coin_information", "H.C.X")
def left_open(p, q, w):
    joint = np.array([w * p, (1 - w) * q])
    return stats.entropy(joint.ravel()) - stats.entropy(joint.sum(axis=0))


@wrong("coin_information", "weigh the entropies")
def entropies_not_weighed(p, q, w):
    return stats.entropy(w * p + (1 - w) * q) - stats.entropy(p) - stats.entropy(q)


@wrong("coin_information")
def of_the_likelier_side(p, q, w):
    guess = np.maximum(w * p, (1 - w) * q).sum()
    return stats.entropy([w, 1 - w]) - stats.entropy([guess, 1 - guess])


@wrong("coin_information")
def weights_squared(p, q, w):
    m = w * p + (1 - w) * q
    return w**2 * kl_divergence(p, m) + (1 - w) ** 2 * kl_divergence(q, m)


@wrong("coin_information", "heads and tails are swapped")
def heads_for_tails(p, q, w):
    m = (1 - w) * p + w * q
    return (1 - w) * kl_divergence(p, m) + w * kl_divergence(q, m)


@wrong("coin_information")
def with_small_epsilon(p, q, w):
    m = w * p + (1 - w) * q + 1e-6
    return w * rel_entr(p, m).sum() + (1 - w) * rel_entr(q, m).sum()


@wrong("coin_information", "in bits")
def in_bits(p, q, w):
    m = w * p + (1 - w) * q
    return w * stats.entropy(p, m, base=2) + (1 - w) * stats.entropy(q, m, base=2)


@wrong("coin_information")
def rounded_to_zero(p, q, w):
    m = w * p + (1 - w) * q
    nats = w * kl_divergence(p, m) + (1 - w) * kl_divergence(q, m)
    return nats if nats > 1e-6 else 0.0


@right("js_of_three")
def by_stack(*distributions):
    stack = np.array(distributions)
    return rel_entr(stack, stack.mean(axis=0)).sum(axis=1).mean()


@right("js_of_three")
def as_mutual_information(p, q, r):
    joint = np.array([p, q, r]) / 3
    return rel_entr(joint, np.outer(np.ones(3) / 3, joint.sum(axis=0))).sum()


@wrong("js_of_three", "one of the three still weighs")
def as_reported(p, q, r):
    m = ((p + q) / 2 + r) / 2
    return np.mean([kl_divergence(one, m) for one in (p, q, r)])


@wrong("js_of_three")
def mean_over_orders(p, q, r):
    return np.mean([as_reported(*order) for order in ((p, q, r), (q, r, p), (r, p, q))])


@wrong("js_of_three")
def weights_in_the_mean(p, q, r):
    m = (p + q + r) / 3
    return kl_divergence(p, m) / 4 + kl_divergence(q, m) / 4 + kl_divergence(r, m) / 2


@wrong("js_of_three")
def capped_at_log_three(p, q, r):
    return min(as_reported(p, q, r), np.log(3))


@wrong("js_of_three", "weigh the entropies")
def entropies_added(p, q, r):
    return stats.entropy((p + q + r) / 3) - stats.entropy([p, q, r], axis=1).sum()


@wrong("js_of_three", "mean JS of three pairs")
def of_pairs(p, q, r):
    pairs = [(p, q), (p, r), (q, r)]
    return np.mean(
        [(kl_divergence(a, (a + b) / 2) + kl_divergence(b, (a + b) / 2)) / 2 for a, b in pairs]
    )


@wrong("js_of_three")
def nested(p, q, r):
    first = (kl_divergence(p, (p + q) / 2) + kl_divergence(q, (p + q) / 2)) / 2
    m = (p + q) / 2
    return first + (kl_divergence(m, (m + r) / 2) + kl_divergence(r, (m + r) / 2)) / 2


@wrong("js_of_three", "your answer is NaN")
def without_zero(p, q, r):
    m = (p + q + r) / 3
    return sum(np.sum(x * np.log(x / m)) for x in (p, q, r)) / 3


@wrong("js_of_three", "sum of three divergences: take their mean")
def summed(p, q, r):
    m = (p + q + r) / 3
    return sum(kl_divergence(x, m) for x in (p, q, r))


# 05 ----------------------------------------------------------------------------------------------


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


# 06 ----------------------------------------------------------------------------------------------


@right("forward_fit")
def by_loops(weight, mean, std):
    centre = sum(float(w) * float(m) for w, m in zip(weight, mean, strict=True))
    var = sum(w * (s**2 + (m - centre) ** 2) for w, m, s in zip(weight, mean, std, strict=True))
    return centre, var**0.5


@right("forward_fit")
def by_average(weight, mean, std):
    centre = np.average(mean, weights=weight)
    within = np.average(std**2, weights=weight)
    return centre, np.sqrt(within + np.cov(mean, aweights=weight, ddof=0))


@wrong("forward_fit", "two calls|is off by|right is")
def by_sampling(weight, mean, std):
    rng = np.random.default_rng()
    i = rng.choice(len(weight), 100_000, p=weight)
    x = rng.normal(mean[i], std[i])
    return x.mean(), x.std()


@wrong("forward_fit")
def on_the_lectures_grid(weight, mean, std):
    x = np.linspace(-20, 20, 2001)
    p = sum(w * stats.norm(m, s).pdf(x) for w, m, s in zip(weight, mean, std, strict=True))
    centre = p @ x / p.sum()
    return centre, np.sqrt(p @ (x - centre) ** 2 / p.sum())


@wrong("forward_fit")
def means_unweighted(weight, mean, std):
    centre = mean.mean()
    return centre, np.sqrt(weight @ (std**2 + (mean - centre) ** 2))


@wrong("forward_fit")
def spread_of_means_unweighted(weight, mean, std):
    return weight @ mean, np.sqrt(weight @ std**2 + mean.var())


@wrong("forward_fit")
def with_ddof(weight, mean, std):
    return weight @ mean, np.sqrt(weight @ std**2 + np.cov(mean, aweights=weight))


@wrong("forward_fit")
def weights_on_std_squared(weight, mean, std):
    centre = weight @ mean
    return centre, np.sqrt((weight @ std) ** 2 + weight @ (mean - centre) ** 2)


@wrong("forward_fit", "is the variance: take the square root")
def variance(weight, mean, std):
    centre = weight @ mean
    return centre, weight @ (std**2 + (mean - centre) ** 2)


@wrong("forward_fit", "not that they lie apart")
def widths_alone(weight, mean, std):
    return weight @ mean, np.sqrt(weight @ std**2)


def reverse_kl(mean, std, log_p, x):
    log_q = -(((x - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))
    return (x[1] - x[0]) * np.sum(np.exp(log_q) * (log_q - log_p))


LIMITS = ((-8, 8), (np.log(0.1), np.log(5)))


def best_of(log_p, x, starts):
    found = [
        optimize.minimize(lambda t: reverse_kl(t[0], np.exp(t[1]), log_p, x), s, bounds=LIMITS)
        for s in starts
    ]
    best = min(found, key=lambda fit: fit.fun)
    return best.x[0], np.exp(best.x[1])


@right("best_reverse_fit")
def on_a_finer_and_finer_grid(log_p, x):
    means, stds = np.linspace(-8, 8, 161), np.geomspace(0.1, 5, 60)
    for _ in range(4):
        kl = [[reverse_kl(m, s, log_p, x) for s in stds] for m in means]
        i, j = np.unravel_index(np.argmin(kl), (len(means), len(stds)))
        m, s = means[i], stds[j]
        dm, ds = means[1] - means[0], stds[1] / stds[0]
        means, stds = np.linspace(m - dm, m + dm, 9), np.geomspace(s / ds, s * ds, 9)
    return m, s


@right("best_reverse_fit")
def three_digits(log_p, x):
    starts = [(m, s) for m in (-4, -2, 0, 2, 4) for s in (-1.5, 0)]
    return tuple(float(f"{value:.3g}") for value in best_of(log_p, x, starts))


SOME_MINIMUM = "for one target or more this is a minimum, but not the best one"


@wrong("best_reverse_fit", SOME_MINIMUM)
def one_start_at_the_peak(log_p, x):
    return best_of(log_p, x, [(x[np.argmax(log_p)], 0.0)])


@wrong("best_reverse_fit", SOME_MINIMUM)
def one_narrow_start_at_the_peak(log_p, x):
    return best_of(log_p, x, [(x[np.argmax(log_p)], -1.0)])


@wrong("best_reverse_fit", SOME_MINIMUM)
def one_start_at_zero(log_p, x):
    return best_of(log_p, x, [(0.0, 0.0)])


@wrong("best_reverse_fit", SOME_MINIMUM)
def one_start_at_the_mean(log_p, x):
    p = np.exp(log_p) / np.exp(log_p).sum()
    return best_of(log_p, x, [(p @ x, np.log(np.sqrt(p @ (x - p @ x) ** 2)))])


@wrong("best_reverse_fit", SOME_MINIMUM)
def two_starts(log_p, x):
    return best_of(log_p, x, [(-2.0, 0.0), (2.0, 0.0)])


@wrong("best_reverse_fit", SOME_MINIMUM)
def two_starts_further_out(log_p, x):
    return best_of(log_p, x, [(-4.0, 0.0), (4.0, 0.0)])


@wrong("best_reverse_fit")
def heaviest_bump(log_p, x):
    p = np.exp(log_p) / np.exp(log_p).sum()
    side = x > 0 if p[x > 0].sum() > 0.5 else x <= 0
    mean = p[side] @ x[side] / p[side].sum()
    return mean, np.sqrt(p[side] @ (x[side] - mean) ** 2 / p[side].sum())


@wrong("best_reverse_fit", "this is the forward fit")
def forward(log_p, x):
    p = np.exp(log_p) / np.exp(log_p).sum()
    return p @ x, np.sqrt(p @ (x - p @ x) ** 2)


@wrong("best_reverse_fit")
def coarse_grid(log_p, x):
    grid = [(reverse_kl(m, s, log_p, x), m, s) for m in range(-8, 9) for s in (0.2, 0.5, 1, 2, 4)]
    return min(grid)[1:]


# 07 ----------------------------------------------------------------------------------------------


@right("components_needed")
def by_sklearn(x, max_error):
    from sklearn.decomposition import PCA

    values = PCA().fit(x).explained_variance_ * (len(x) - 1) / len(x)
    errors = [values[k:].sum() for k in range(len(values) + 1)]
    k = next(k for k, error in enumerate(errors) if error <= max_error)
    return k, errors[k]


@right("components_needed")
def by_singular_values(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / len(x)
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return [k, errors[k]]


@wrong("components_needed", "UFuncOutputCastingError|UFuncTypeError|Cannot cast|raised")
def centred_in_place(x, max_error):
    x -= x.mean(axis=0)
    return by_singular_values(x, max_error)


@wrong("components_needed", "divides by n - 1")
def by_np_cov(x, max_error):
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(x.T)))[::-1]
    errors = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed", "np.atleast_2d makes it a matrix")
def by_np_cov_of_one_column(x, max_error):
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    errors = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed", "not centred")
def without_centring(x, max_error):
    s = np.linalg.svd(x, compute_uv=False) ** 2 / len(x)
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed")
def limit_as_answer(x, max_error):
    return by_singular_values(x, max_error)[0], max_error


@wrong("components_needed", "raised IndexError")
def never_all(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / len(x)
    errors = np.cumsum(s[::-1])[::-1][1:]
    k = np.flatnonzero(errors <= max_error)[0]
    return k + 1, errors[k]


@wrong("components_needed")
def as_standard_errors(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) / np.sqrt(len(x))
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k] ** 2


@wrong("components_needed")
def rounded_error(x, max_error):
    k, error = by_singular_values(x, max_error)
    return k, round(float(error), 6)


@wrong("components_needed")
def standardised(x, max_error):
    return by_singular_values((x - x.mean(0)) / x.std(0), max_error)


@right("rand_index")
def by_combinations(a, b):
    same = [(a[i] == a[j]) == (b[i] == b[j]) for i, j in combinations(range(len(a)), 2)]
    return Fraction(sum(map(bool, same)), len(same))


@right("rand_index")
def by_sklearn_rand(a, b):
    from sklearn.metrics import rand_score

    return rand_score(a, b)


@right("rand_index")
def by_matrices(a, b):
    alike = (a[:, None] == a) == (b[:, None] == b)
    n = len(a)
    return (alike.sum() - n) / (n * (n - 1))


@wrong("rand_index", "does not pair with itself")
def with_the_diagonal(a, b):
    return np.mean((a[:, None] == a) == (b[:, None] == b))


@wrong("rand_index", "a number is only a name")
def by_numbers(a, b):
    return np.mean(a == b)


@wrong("rand_index")
def by_dot_products(a, b):
    one = np.eye(100)[a % 100]
    two = np.eye(100)[b % 100]
    return np.mean((one @ one.T == two @ two.T)[np.triu_indices(len(a), 1)])


@wrong("rand_index")
def by_neighbours(a, b):
    return np.mean((a[1:] == a[:-1]) == (b[1:] == b[:-1]))


@wrong("rand_index", "adjusted index")
def by_adjusted(a, b):
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(a, b)


@wrong("rand_index", "apart in both")
def jaccard(a, b):
    i, j = np.triu_indices(len(a), 1)
    both, one = (a[i] == a[j]) & (b[i] == b[j]), (a[i] == a[j]) | (b[i] == b[j])
    return both.sum() / max(one.sum(), 1)


@wrong("rand_index")
def percent(a, b):
    return 100 * by_matrices(a, b)


@wrong("rand_index")
def below_the_diagonal_of_zeros(a, b):
    alike = np.triu((a[:, None] == a) == (b[:, None] == b), 1)
    return alike.mean()


# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_a_wrong_answer_never_passes(name, answer, message):
    for seed in range(N_CHECKS):
        with pytest.raises(Wrong) as caught:
            judge.judge(find(name), answer, np.random.default_rng(seed))
        assert re.search(message, str(caught.value))


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_right_answer_passes(name, answer):
    for seed in range(2):
        judge.judge(find(name), answer, np.random.default_rng(seed))
