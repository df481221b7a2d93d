"""Right and wrong answers to the exercises of lecture 01."""

import math
from fractions import Fraction

import numpy as np
from answers.collected import right, wrong
from scipy import stats
from scipy.special import rel_entr


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
