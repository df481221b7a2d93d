"""Exercises on the Kullback-Leibler divergence: of letters and codes, of densities, of samples."""

import math
from itertools import product

import numpy as np
from scipy.special import rel_entr

from lecture_utils.exercises.exercise import Exercise

LN2 = np.log(2)


def complete_code(rng, n_letters):
    """Word lengths of a random complete binary code: random words are split in two."""
    lengths = [0]
    while len(lengths) < n_letters:
        longer = lengths.pop(rng.integers(len(lengths))) + 1
        lengths += [longer, longer]
    return np.array(lengths, dtype=float)


def extra_bits_cases(rng):
    small = [
        (np.array(counts), np.array([1.0, 2, 2]))
        for counts in ([1, 1, 2], [2, 1, 1], [3, 0, 1], [0, 7, 0])
    ]
    whole = [(np.array([5.0, 2, 2]), np.array([2, 1, 2])), (np.array([4]), np.array([0]))]
    long = (np.array([10**9, 3, 0, 1]), np.array([1, 2, 3, 3]))  # one letter is nearly all
    return [*small, *whole, long] + [
        (rng.integers(1, 50, n), complete_code(rng, n)) for n in (4, 8, 26)
    ]


def extra_bits_loop(counts, lengths):
    used = [(n / sum(counts), length) for n, length in zip(counts, lengths, strict=True) if n]
    return sum(p * (length + math.log2(p)) for p, length in used)


def huffman(counts):
    """Bits a letter of the best code with a word for each letter."""
    waiting, bits = sorted(n for n in counts.tolist() if n), 0
    while len(waiting) > 1:
        joined = waiting[0] + waiting[1]
        waiting = sorted([*waiting[2:], joined])
        bits += joined
    return bits / counts.sum()


def entropy_bits(p):
    return -(p[p > 0] * np.log2(p[p > 0])).sum()


def kl_bits(p, lengths):
    return rel_entr(p, 2.0**-lengths).sum() / LN2


def of_p(formula):
    """Turn a formula in the letters' probabilities into an answer in their counts."""
    return lambda counts, lengths: formula(counts / counts.sum(), lengths)


def reversed_bits(p, lengths):
    """KL(Q||P), of the letters that occur."""
    q, seen = 2.0**-lengths, p > 0
    return q[seen] @ np.log2(q[seen] / p[seen])


# KL(Q||P) of all letters, infinite when one is missing, or of those that occur; in bits and nats.
REVERSED = (
    lambda p, n: rel_entr(2.0**-n, p).sum() / LN2,
    lambda p, n: rel_entr(2.0**-n, p).sum(),
    reversed_bits,
    lambda p, n: reversed_bits(p, n) * LN2,
    lambda p, n: -reversed_bits(p, n),
)

EXTRA_BITS = Exercise(
    name="extra_bits",
    cases=extra_bits_cases,
    oracle=lambda counts, lengths: kl_bits(counts / counts.sum(), lengths),
    second_answer=extra_bits_loop,
    mistakes=(
        *(
            (of_p(formula), "this is in nats: for bits, use np.log2")
            for formula in (
                lambda p, n: kl_bits(p, n) * LN2,
                lambda p, n: (p * np.log(p / 2.0**-n)).sum(),  # NaN for letters that never occur
            )
        ),
        (
            of_p(lambda p, n: p @ n - entropy_bits(p) * LN2),
            "your entropy is in nats, the lengths are in bits: use np.log2",
        ),
        *(
            (
                of_p(formula),
                "this is KL(Q||P), swapped: letters come as counted, so average with the counts",
            )
            for formula in REVERSED
        ),
        (
            of_p(lambda p, n: p @ n),
            "these are all bits per letter: subtract the entropy, the least that is possible",
        ),
        (
            lambda counts, lengths: counts / counts.sum() @ lengths - huffman(counts),
            "this is the excess over the best code with a word for each letter: the entropy is "
            "less, and codes for long blocks of letters come near to it",
        ),
        (
            of_p(lambda p, n: entropy_bits(p)),
            "this is the entropy: how many bits more does this code need?",
        ),
        (
            lambda counts, lengths: counts @ lengths - entropy_bits(counts),
            "counts are not probabilities: divide them by their sum",
        ),
        (
            lambda counts, lengths: counts.sum() * kl_bits(counts / counts.sum(), lengths),
            "these are the extra bits of the whole text: divide by its number of letters",
        ),
        (
            of_p(lambda p, n: n.mean() - entropy_bits(p)),
            "frequent letters weigh more: average the lengths with the probabilities",
        ),
        (
            of_p(lambda p, n: p @ n + (p * np.log2(p)).sum()),
            "NaN, because numpy's 0 · log 0 is not 0: leave out letters that never occur",
        ),
        (
            of_p(lambda p, n: -kl_bits(p, n)),
            "the sign is flipped: no code needs fewer bits than the entropy",
        ),
        (
            of_p(lambda p, n: rel_entr(p, 2.0**-n) / LN2),
            "this is one term for each letter: add them up",
        ),
    ),
    hints=(
        "What does a letter cost on average in this code? And what is the least it can cost?",
        "The first is the average of `lengths`, weighted with the probabilities of the letters. "
        "The second is their entropy in bits.",
        "Turn counts into p. Then add p * (lengths + log2 p) over the letters with p > 0.",
    ),
    discovery="give each letter of a text np.ceil(-np.log2(p)) bits, for several p: how many bits "
    "more than the entropy does this cost at most?",
)


def gaussian(mean, std):
    """Log-density of a Gaussian."""
    return lambda x: -(((x - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))


def both_orders_cases(rng):
    means, stds = rng.uniform(-2, 2, (4, 2)), rng.uniform(0.5, 2, (4, 2))
    pairs = [((0, 1), (1, 1.5)), ((0, 0), (1, 1)), ((0, 300), (1, 2)), ((0, 0), (1, 1.000001))]
    pairs += zip(means, stds, strict=True)
    sizes = [(60, 90), (50, 50), (2, 300), (80, 60), *[(60, 90)] * len(means)]
    return [
        (*map(gaussian, mean, std), *map(rng.normal, mean, std, size))
        for (mean, std), size in zip(pairs, sizes, strict=True)
    ]


def both_orders_loop(log_p, log_q, x_p, x_q):
    means, variance = [], 0
    for log_own, log_other, x in ((log_p, log_q, x_p), (log_q, log_p, x_q)):
        terms = [log_own(value) - log_other(value) for value in x]
        means.append(sum(terms) / len(x))
        variance += sum((term - means[-1]) ** 2 for term in terms) / (len(x) - 1) / len(x)
    return *means, variance**0.5


def error_of_mean(terms, ddof=1):
    return np.std(terms, ddof=ddof) / np.sqrt(len(terms))


def both_errors(there, back):
    return math.hypot(error_of_mean(there), error_of_mean(back))


def paired_error(there, back):
    """The error of a mean of differences, as if the terms of both orders belonged together."""
    n = min(len(there), len(back))
    return error_of_mean(there[:n] - back[:n])


def means_and(error):
    """An answer that is right, but for the error that it makes of the terms of both orders."""

    def answer(log_p, log_q, x_p, x_q):
        there, back = log_p(x_p) - log_q(x_p), log_q(x_q) - log_p(x_q)
        return math.fsum(there) / len(there), math.fsum(back) / len(back), error(there, back)

    return answer


def both_orders(log_p, log_q, x_p, x_q):
    return means_and(both_errors)(log_p, log_q, x_p, x_q)


def both_orders_abs(log_p, log_q, x_p, x_q):
    there, back = abs(log_p(x_p) - log_q(x_p)), abs(log_q(x_q) - log_p(x_q))
    return there.mean(), back.mean(), both_errors(there, back)


BOTH_ORDERS = Exercise(
    name="both_orders",
    cases=both_orders_cases,
    oracle=both_orders_loop,
    second_answer=both_orders,
    mistakes=(
        (
            lambda log_p, log_q, x_p, x_q: both_orders(log_p, log_q, x_q, x_p),
            "the samples are swapped: KL(P||Q) is an average over samples of P",
        ),
        (
            lambda log_p, log_q, x_p, x_q: both_orders(log_p, log_q, x_p, x_p),
            "samples of P served for both: KL(Q||P) is an average over samples of Q",
        ),
        (
            lambda log_p, log_q, x_p, x_q: both_orders(log_p, log_q, x_q, x_q),
            "samples of Q served for both: KL(P||Q) is an average over samples of P",
        ),
        (
            lambda log_p, log_q, x_p, x_q: both_orders(log_q, log_p, x_q, x_p),
            "KL(Q||P) stands first; the exercise asks for KL(P||Q) first",
        ),
        (
            both_orders_abs,
            "no abs: a term is negative where the other density is larger, and must be",
        ),
        (
            lambda *case: (-(right := both_orders(*case))[0], -right[1], right[2]),
            "the signs are flipped: in each estimate the log-density that samples were drawn from "
            "comes first",
        ),
        (
            lambda *case: np.multiply(both_orders(*case), (len(case[2]), len(case[3]), 1)),
            "these are sums over the samples: an expectation is their mean",
        ),
        (
            lambda *case: np.divide(both_orders(*case), LN2),
            "this is in bits; the exercise asks for nats, as in log_p and log_q",
        ),
        (
            means_and(lambda a, b: math.hypot(np.std(a, ddof=1), np.std(b, ddof=1))),
            "your error is the spread of single terms: that of their mean is smaller by root n",
        ),
        (
            means_and(lambda a, b: both_errors(a, b) ** 2),
            "your error is a variance: take the square root",
        ),
        *(
            (
                means_and(pooled),
                "the terms of both orders were pooled: each estimate has a spread of its own",
            )
            for pooled in (
                lambda a, b: np.std([*a, *b], ddof=1) * math.sqrt(1 / len(a) + 1 / len(b)),
                lambda a, b: np.std([*a, *b], ddof=1) / math.sqrt(len(a) + len(b)),
            )
        ),
        (
            means_and(lambda a, b: error_of_mean(a) + error_of_mean(b)),
            "errors of independent estimates do not add: their squares do",
        ),
        (
            lambda *case: ((right := both_orders(*case))[0], right[1], right[0] - right[1]),
            "this is the difference itself; the exercise asks for its standard error",
        ),
        *(
            (
                means_and(subtracted),
                "errors do not subtract, even in a difference: their squares add",
            )
            for subtracted in (
                lambda a, b: error_of_mean(a) - error_of_mean(b),
                lambda a, b: abs(error_of_mean(a) - error_of_mean(b)),
                lambda a, b: math.sqrt(abs(error_of_mean(a) ** 2 - error_of_mean(b) ** 2)),
            )
        ),
        (
            means_and(paired_error),
            "the samples are independent and not pairs: do not subtract term from term, the "
            "variances of the two means add",
        ),
        (
            means_and(lambda a, b: error_of_mean(a)),
            "this is the error of KL(P||Q) alone: that of KL(Q||P) comes on top",
        ),
        (
            means_and(lambda a, b: math.hypot(error_of_mean(a, 0), error_of_mean(b, 0))),
            "nearly: use ddof=1, because the mean was taken from the same samples",
        ),
    ),
    hints=(
        "Write two arrays of terms: one whose mean estimates KL(P||Q), one for KL(Q||P). Which "
        "samples belong to which?",
        "The variance of a mean is var(ddof=1) / n. The variance of a difference of two "
        "independent estimates is the sum of theirs.",
        "The terms of KL(Q||P) are log_q(x_q) - log_p(x_q). The error is the root of the two "
        "variances of means, added.",
    ),
    absolute=1e-12,
    discovery="for N(0, 1) and N(1, 1) both KL are equal. Draw new samples a hundred times: how "
    "often are your estimates more than two errors apart?",
)


def kl_of_samples_cases(rng):
    means, stds = rng.uniform(-3, 3, (3, 2)), rng.uniform(0.5, 2, (3, 2))
    pairs = [((0, 1), (1, 1)), ((1000, 1001), (1, 2)), ((0, 0.002), (0.001, 0.003))]
    pairs += zip(means, stds, strict=True)
    return [tuple(rng.normal(m, s, (500, 2)).T) for m, s in pairs]


def kl_of_gaussians(mean_p, std_p, mean_q, std_q):
    """The deck's formula."""
    return np.log(std_q / std_p) + (std_p**2 + (mean_p - mean_q) ** 2) / (2 * std_q**2) - 1 / 2


def kl_of_samples(x_p, x_q, ddof=0):
    return kl_of_gaussians(x_p.mean(), x_p.std(ddof=ddof), x_q.mean(), x_q.std(ddof=ddof))


def kl_of_samples_loop(x_p, x_q):
    log_ratio = [0.0] * len(x_p)
    for sign, x in ((1, x_p), (-1, x_q)):
        mean = sum(x) / len(x)
        var = sum((value - mean) ** 2 for value in x) / len(x)
        for i, value in enumerate(x_p):
            log_ratio[i] -= sign * ((value - mean) ** 2 / var + math.log(2 * math.pi * var)) / 2
    return sum(log_ratio) / len(x_p)


def of_fits(formula, spread=np.std):
    """Turn a formula in samples and fitted log-densities into an answer in samples."""
    return lambda x_p, x_q: formula(
        x_p, x_q, gaussian(x_p.mean(), spread(x_p)), gaussian(x_q.mean(), spread(x_q))
    )


def mean_log_ratio(x_p, x_q, log_p, log_q):
    return (log_p(x_p) - log_q(x_p)).mean()


def weighted_log_ratio(x_p, x_q, log_p, log_q):
    return np.exp(log_p(x_p)) * (log_p(x_p) - log_q(x_p))


def samples_as_probabilities(log, prepare, finish):
    """The published calculation, and attempts that repair something else than its cause."""
    return lambda x_p, x_q: finish(prepare(x_p) * log(prepare(x_p) / prepare(x_q)))


WAYS_TO_REPAIR_SOMETHING_ELSE = product(
    (np.log2, np.log),
    (np.sort, np.asarray, lambda x: x / x.sum(), lambda x: np.sort(x) / x.sum()),
    (lambda terms: abs(np.nansum(terms)), np.nansum, np.sum),
)

KL_OF_SAMPLES = Exercise(
    name="kl_of_samples",
    cases=kl_of_samples_cases,
    oracle=lambda x_p, x_q: kl_of_samples(x_p, x_q),
    second_answer=kl_of_samples_loop,
    mistakes=(
        *(
            (
                samples_as_probabilities(*way),
                "samples still serve as probabilities, the negative ones too: a sample says where "
                "P was seen, its density says how probable that is",
            )
            for way in WAYS_TO_REPAIR_SOMETHING_ELSE
        ),
        *(
            (
                of_fits(lambda *case, end=end: end(weighted_log_ratio(*case))),
                "likely values are frequent among the samples already, the factor p(x) counts that "
                "twice: take the plain mean of log p/q",
            )
            for end in (np.sum, np.mean)
        ),
        (
            of_fits(lambda x_p, x_q, log_p, log_q: (log_p(x_p) - log_q(x_q)).mean()),
            "p was taken at x_p and q at x_q: log p/q compares both at the same point",
        ),
        (
            of_fits(lambda x_p, x_q, log_p, log_q: (log_p(x_q) - log_q(x_q)).mean()),
            "this averages over samples of Q: KL(P||Q) is an average over samples of P",
        ),
        (lambda x_p, x_q: kl_of_samples(x_q, x_p), "this is KL(Q||P): P comes first"),
        (lambda x_p, x_q: -kl_of_samples(x_p, x_q), "the sign is flipped: log p comes first"),
        (
            of_fits(lambda x_p, x_q, log_p, log_q: abs(log_p(x_p) - log_q(x_p)).mean()),
            "no abs: a term is negative where the other density is larger, and must be",
        ),
        (
            lambda x_p, x_q: kl_of_samples(x_p, x_q) / LN2,
            "this is in bits: use the natural logarithm",
        ),
        (
            lambda x_p, x_q: kl_of_samples(x_p, x_q) * len(x_p),
            "this is a sum over the samples: an expectation is their mean",
        ),
        (of_fits(mean_log_ratio, np.var), "norm takes the standard deviation, not the variance"),
        (
            lambda x_p, x_q: mean_log_ratio(x_p, x_q, gaussian(0, 1), gaussian(1, 1)),
            "these are the Gaussians of the example: fit them to x_p and x_q",
        ),
        (
            lambda x_p, x_q: kl_of_gaussians(0, 1, 1, 1),
            "this is the KL of the example, whatever the samples are: use x_p and x_q",
        ),
        *(
            (nearly, "nearly: take np.std as it is, without ddof")
            for nearly in (
                lambda x_p, x_q: kl_of_samples(x_p, x_q, ddof=1),
                of_fits(mean_log_ratio, lambda x: x.std(ddof=1)),
            )
        ),
    ),
    hints=(
        "Print the five smallest samples of P. Can they be probabilities?",
        "A sample says where P was seen. How dense P is there, the fitted Gaussian says: "
        "norm(x_p.mean(), x_p.std()).logpdf.",
        "Take both fitted log-densities at the samples of P, subtract, and take the mean.",
    ),
    discovery="add 10 to all samples, of P and of Q. What does your KL do, and what does the "
    "published one?",
)

EXERCISES = (EXTRA_BITS, BOTH_ORDERS, KL_OF_SAMPLES)
