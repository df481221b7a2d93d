"""Exercises on the sign of KL, on Pinsker's promise, and on how KL grows near zero."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr, softmax

from lecture_utils.divergences import kl_divergence
from lecture_utils.exercises.exercise import Exercise

LN2, LN10 = np.log(2), np.log(10)


def kl_of_counts_cases(rng):
    small = [([1, 1], [1, 3]), ([6, 4], [1, 1]), ([0, 3, 1], [4, 2, 2]), ([5], [9])]
    small += [([2.0, 4.0], [1.0, 2.0]), ([1, 10**6], [10**6, 7]), ([9, 0, 0], [1, 1, 1])]
    some = [tuple(rng.integers(low, 60, (2, k))) for low, k in ((1, 3), (5, 6), (20, 12))]
    return [(np.array(p), np.array(q)) for p, q in small] + some


def kl_of_counts(counts_p, counts_q):
    return kl_divergence(counts_p / counts_p.sum(), counts_q / counts_q.sum())


def kl_of_counts_loop(counts_p, counts_q):
    ratio = sum(counts_q) / sum(counts_p)
    pairs = [(a, b) for a, b in zip(counts_p, counts_q, strict=True) if a > 0]
    return sum(a * math.log(a / b * ratio) for a, b in pairs) / sum(counts_p)


def plain_terms(a, b):
    """As the report writes them: NaN where a count of P is zero."""
    return a * np.log(a / b)


def in_both_forms(formula):
    """A formula in counts and a function for the terms: with NaN at zero, and without."""
    return [lambda a, b, terms=terms: formula(a, b, terms) for terms in (rel_entr, plain_terms)]


def of_shares(formula):
    """Turn a formula in p and q into an answer in counts."""
    return lambda a, b: formula(a / a.sum(), b / b.sum())


ONE_TOTAL = "counts were divided by one total for both: P and Q must each sum to one"

KL_OF_COUNTS = Exercise(
    name="kl_of_counts",
    cases=kl_of_counts_cases,
    oracle=lambda counts_p, counts_q: kl_of_counts(counts_p, counts_q),
    second_answer=kl_of_counts_loop,
    mistakes=(
        *(
            (answer, "this is the report's sum: do its weights sum to one, as the proof demands?")
            for answer in in_both_forms(lambda a, b, terms: terms(a, b).sum())
        ),
        *(
            (answer, "do not clip at zero: that hides the sign and keeps the wrong number")
            for clip in (lambda kl: max(kl, 0), lambda kl: max(0, kl))  # unlike for NaN
            for answer in in_both_forms(lambda a, b, terms, clip=clip: clip(terms(a, b).sum()))
        ),
        *(
            (answer, "no abs: that hides the sign and keeps the wrong number")
            for answer in in_both_forms(lambda a, b, terms: abs(terms(a, b).sum()))
        ),
        *(
            (answer, ONE_TOTAL)
            for total in (
                lambda a, b: a.sum(),
                lambda a, b: b.sum(),
                lambda a, b: a.sum() + b.sum(),
                lambda a, b: max(a.sum(), b.sum()),
            )
            for answer in in_both_forms(
                lambda a, b, terms, total=total: terms(a, b).sum() / total(a, b)
            )
        ),
        (
            lambda a, b: rel_entr(a, b).sum() - a.sum() + b.sum(),
            "this is never negative, but it compares the totals, too: turn counts into "
            "probabilities first",
        ),
        (
            of_shares(lambda p, q: rel_entr(p, q).sum() - 1 + q[p > 0].sum()),
            "q of the groups with p = 0 was left out: p - q sums to zero only over all groups",
        ),
        *(
            (
                of_shares(lambda p, q, end=end: end(rel_entr(p, q)).sum()),
                "single terms may be negative, and must be: only their sum never is",
            )
            for end in (np.abs, lambda terms: terms.clip(0))
        ),
        (
            lambda a, b: kl_of_counts(a[a > 0], b[a > 0]),
            "Q lost the groups that P lacks, and with them a part of its total: divide by the "
            "total first, leave out groups afterwards",
        ),
        *(
            (answer, "P sums to one now, and Q does not: divide counts_q by its own sum")
            for answer in in_both_forms(lambda a, b, terms: terms(a / a.sum(), b).sum())
        ),
        *(
            (answer, "Q sums to one now, and P does not: divide counts_p by its own sum")
            for answer in in_both_forms(lambda a, b, terms: terms(a, b / b.sum()).sum())
        ),
        (of_shares(lambda p, q: rel_entr(q, p).sum()), "this is KL(Q||P): P comes first"),
        (of_shares(lambda p, q: -rel_entr(p, q).sum()), "the sign is flipped: log p comes first"),
        (
            of_shares(lambda p, q: rel_entr(p, q).sum() / LN2),
            "this is in bits: use the natural logarithm",
        ),
        (
            of_shares(lambda p, q: rel_entr(p, q).mean()),
            "this is the mean of the terms: p is the weight already, add them up",
        ),
        (
            of_shares(lambda p, q: (p * np.log(p / q)).sum()),
            "NaN, because numpy's 0 · log 0 is not 0: leave out groups with no visitor in P",
        ),
        (
            lambda a, b: kl_of_counts(a + 1, b + 1),
            "one was added to each count: take the counts as they are",
        ),
    ),
    hints=(
        "In which line of the proof did the lecture use that p sums to one, and where q?",
        "Both samples have a total of their own. What does the sum turn into when Q is counted "
        "twice as long?",
        "Divide counts_p by its own sum and counts_q by its own. Then add p * log(p / q) over the "
        "groups with p > 0.",
    ),
    discovery="count the sunny day twice, 2 * sunny: what does your KL do, and what does the "
    "report's?",
)


def pinsker_range_cases(rng):
    small = [(0.5, 0.02), (0.1, 0.08), (0.8, 0.5), (0.3, 3.0), (0.6, np.inf), (0.4, 0.0)]
    small += [(0.0, 0.02), (1.0, 0.02), (0.001, 0.0002), (0.3, 1e-10), (0.5, 2)]
    limits = ((0.01, 0.07), (0.01, 0.07), (0.5, 1.5))  # the last one reaches an end
    return small + [(float(rng.uniform(0.2, 0.8)), float(rng.uniform(*pair))) for pair in limits]


def last_below(a, end, kl, bound):
    """The point between `a` and `end` that is farthest from `a` and has bound(a, b) <= kl."""
    return end if bound(a, end) <= kl else brentq(lambda b: bound(a, b) - kl, a, end, xtol=1e-13)


def pinsker_range_by_roots(a, kl, bound=lambda a, b: 2 * (b - a) ** 2):
    return last_below(a, 0.0, kl, bound), last_below(a, 1.0, kl, bound)


def kl_of_two_outcomes(a, b):
    return rel_entr([a, 1 - a], [b, 1 - b]).sum()


def capped(shift):
    """Turn the largest difference of a probability into an answer."""
    return lambda a, kl: (max(a - shift(kl), 0), min(a + shift(kl), 1))


def shift_by_pinsker(kl):
    return math.sqrt(kl / 2)


NOT_CAPPED = "a probability stays between 0 and 1, however large the KL is"

PINSKER_RANGE = Exercise(
    name="pinsker_range",
    cases=pinsker_range_cases,
    oracle=lambda a, kl: pinsker_range_by_roots(a, kl),
    second_answer=lambda a, kl: np.clip(a + np.array([-1, 1]) * np.sqrt(kl / 2), 0, 1),
    mistakes=(
        (lambda a, kl: (a - shift_by_pinsker(kl), a + shift_by_pinsker(kl)), NOT_CAPPED),
        (lambda a, kl: (a - shift_by_pinsker(kl), min(a + shift_by_pinsker(kl), 1)), NOT_CAPPED),
        (lambda a, kl: (max(a - shift_by_pinsker(kl), 0), a + shift_by_pinsker(kl)), NOT_CAPPED),
        (
            capped(lambda kl: math.sqrt(2 * kl)),
            "this bounds the sum of |p - q|: the probability of one event differs by half of it",
        ),
        (
            capped(lambda kl: kl / 2),
            "this bounds the square of the difference: take the root",
        ),
        (
            capped(math.sqrt),
            "Pinsker's inequality has a factor 2: the root is of kl / 2",
        ),
        (
            capped(lambda kl: math.sqrt(kl) / 2),
            "the root is of kl / 2: the 2 stands under it",
        ),
        (
            capped(lambda kl: math.sqrt(kl * LN2 / 2)),
            "this is the bound for bits: kl is in nats",
        ),
        (
            capped(lambda kl: shift_by_pinsker(kl) / 2),
            "the whole difference may go either way: do not halve it",
        ),
        (
            lambda a, kl: (
                max(a - a * shift_by_pinsker(kl), 0),
                min(a + a * shift_by_pinsker(kl), 1),
            ),
            "the bound is on the difference itself, not on its share of a",
        ),
        (
            lambda a, kl: capped(shift_by_pinsker)(a, kl)[::-1],
            "the largest value stands first; the exercise asks for the lowest first",
        ),
        (
            lambda a, kl: pinsker_range_by_roots(a, kl, kl_of_two_outcomes),
            "this is a right and narrower range, by the KL of two outcomes; the exercise asks "
            "for what Pinsker's inequality gives",
        ),
    ),
    hints=(
        "Pinsker's inequality bounds KL from below. What does it say about TV when KL is at most "
        "kl?",
        "TV is at most the root of kl / 2, and no event differs by more than TV. Try kl = 3: are "
        "both ends still probabilities?",
        "The ends are a - sqrt(kl / 2) and a + sqrt(kl / 2), the first at least 0 and the second "
        "at most 1.",
    ),
    discovery="a rare event, a = 0.001: how small must kl be, so that a model cannot make it twice "
    "as likely?",
)


def nudge_cases(rng):
    small = [([0.5, 0.5], [0.0, 2.0]), ([0.25, 0.75], [1.0, -1.0]), ([0.6, 0.3, 0.1], [1.0, 2, 5])]
    small += [([0.6, 0.3, 0.1], [7, 7, 7]), ([0.5, 0.3, 0.2], [3, -1, 0])]
    small += [
        ([0.7, 0.3 - 1e-6, 1e-6], [0.0, 0, 1]),
        ([0.2, 0.8], [1e-3, 0]),
        ([0.2, 0.8], [0, 500]),
    ]
    some = [(rng.dirichlet(np.full(k, 3.0)), rng.uniform(-1, 2, k)) for k in (3, 4, 8)]
    return [(np.array(p), np.array(v)) for p, v in small] + some


def nudged_kl(p, v, eps):
    return kl_divergence(p, softmax(np.log(p) + eps * v))


def coefficient_from_kl(p, v, eps=1e-3):
    """KL itself, of small nudges both ways; two sizes of them cancel the next power of eps."""
    v = v - v.mean()
    size = abs(v).max() or 1.0
    far, near = (
        (nudged_kl(p, v / size, e) + nudged_kl(p, v / size, -e)) / (2 * e**2)
        for e in (2 * eps, eps)
    )
    return size**2 * (4 * near - far) / 3


def coefficient(p, v):
    return (p @ v**2 - (p @ v) ** 2) / 2


def coefficient_loop(p, v):
    pairs = [(p[i] * p[j], v[i] - v[j]) for i in range(len(p)) for j in range(i)]
    return sum(weight * gap**2 for weight, gap in pairs) / 2


NUDGE_COEFFICIENT = Exercise(
    name="nudge_coefficient",
    cases=nudge_cases,
    oracle=lambda p, v: coefficient_from_kl(p, v),
    second_answer=coefficient_loop,
    mistakes=(
        (lambda p, v: 2 * coefficient(p, v), "the half is missing"),
        (
            lambda p, v: (v**2 / p).sum() / 2,
            "v is a step of the logits, not of q: the step h of q is another, and sums to zero",
        ),
        (
            lambda p, v: ((v - v.mean()) ** 2 / p).sum() / 2,
            "v is a step of the logits, not of q: subtracting its mean makes it sum to zero, but "
            "does not make it the step of q",
        ),
        (
            lambda p, v: p @ v**2 / 2,
            "your h is p v, which does not sum to zero: q is divided by its sum, too",
        ),
        (
            lambda p, v: p @ (v - v.mean()) ** 2 / 2,
            "the plain mean of v was subtracted: h = p (v - m) sums to zero only if m is the mean "
            "under P",
        ),
        (
            lambda p, v: (p * (1 - p) ** 2 * v**2).sum() / 2,
            "your h is p (1 - p) v, the diagonal of softmax's derivative: a nudge to one logit "
            "moves all probabilities",
        ),
        (
            lambda p, v: (p * (1 - p) * v**2).sum() / 2,
            "a nudge to one logit moves all probabilities: the off-diagonal terms are missing",
        ),
        (lambda p, v: v.var() / 2, "all outcomes weigh the same here: weigh them with p"),
        (
            lambda p, v: ((p * (v - p @ v)) ** 2).sum() / 2,
            "this is half the sum of h²: each term is to be divided by p",
        ),
        (
            lambda p, v: np.sqrt(2 * coefficient(p, v)) / 2,
            "no root here: the KL grows like the square of the step",
        ),
        (lambda p, v: coefficient(p, v) / LN2, "this is in bits: use the natural logarithm"),
        (lambda p, v: coefficient(p, v) / LN10, "your logarithm has base 10: use np.log"),
        (
            lambda p, v: nudged_kl(p, v, 1.0),
            "this is the KL of the nudge with ε = 1: the coefficient is what KL / ε² tends to as ε "
            "falls to zero",
        ),
    ),
    hints=(
        "Does anything change when the same number is added to all entries of v? What must your "
        "answer do then?",
        "To first order, q = p + ε h. Differentiate softmax(log p + ε v) at ε = 0 to find h. It "
        "sums to zero.",
        "h = p * (v - m), where m is the mean of v under P. Put it into half the sum of h² / p.",
    ),
    tolerance=1e-6,
    absolute=1e-11,
    discovery="p = [0.999, 0.001]: what does a nudge to the second logit cost? Which p makes a "
    "nudge to one of two logits most expensive?",
)

EXERCISES = (KL_OF_COUNTS, PINSKER_RANGE, NUDGE_COEFFICIENT)
