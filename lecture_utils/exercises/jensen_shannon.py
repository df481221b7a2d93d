"""Exercises on the Jensen-Shannon divergence: with a biased coin, and of three distributions."""

import math

import numpy as np
from scipy.special import entr, rel_entr

from lecture_utils.exercises.exercise import Exercise

LN2 = np.log(2)


def entropy(p):
    return entr(p).sum()


def kl(p, q):
    return rel_entr(p, q).sum()


def coin_information_cases(rng):
    fixed = [
        (np.array([1.0, 0]), np.array([0, 1.0]), 0.25),
        (np.array([0.5, 0.5]), np.array([1.0, 0]), 0.4),
        (np.array([1, 0, 0]), np.array([0, 0, 1]), 0.5),
        (np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5]), 0.3),
        (np.array([0.2, 0, 0.8]), np.array([0.5, 0, 0.5]), 1e-6),
    ]
    weights = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.95)
    return fixed + [
        (*rng.dirichlet(np.ones(k), 2), w) for k, w in zip((3, 6), weights, strict=True)
    ]


def information(p, q, w):
    """What the sample tells, as H(C) + H(X) - H(C, X)."""
    joint = np.stack([w * p, (1 - w) * q])
    return entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0)) - entropy(joint)


def information_loop(p, q, w):
    nats = 0
    for p_x, q_x in zip(p, q, strict=True):
        for coin, x in ((w, p_x), (1 - w, q_x)):
            if x:
                nats += coin * x * math.log(x / (w * p_x + (1 - w) * q_x))
    return nats


def coin(w):
    return entr(w) + entr(1 - w)


def weighted(p, q, w, w_of_mixture):
    m = w_of_mixture * p + (1 - w_of_mixture) * q
    return w * kl(p, m) + (1 - w) * kl(q, m)


def as_in_the_deck(p, q, w):
    m = w * p + (1 - w) * q
    return w * kl(p, m) + (1 - w) * kl(m, q)


COIN_INFORMATION = Exercise(
    name="coin_information",
    cases=coin_information_cases,
    oracle=lambda p, q, w: information(p, q, w),
    second_answer=information_loop,
    mistakes=(
        (lambda p, q, w: information(p, q, w) / LN2, "this is in bits: use the natural logarithm"),
        (
            lambda p, q, w: coin(w) - information(p, q, w),
            "this is H(C|X), what the sample leaves open: subtract it from H(C)",
        ),
        (
            lambda p, q, w: w * entropy(p) + (1 - w) * entropy(q),
            "this is H(X|C), the surprise of X for one who knows the coin: subtract it from H(X)",
        ),
        (
            lambda p, q, w: np.sqrt(information(p, q, w)),
            "this is the square root, the distance; the exercise asks for the information",
        ),
        (
            lambda p, q, w: weighted(p, q, 0.5, 0.5),
            "this is JS, of a fair coin: heads has probability w, in mixture and average",
        ),
        (
            lambda p, q, w: weighted(p, q, 1 - w, 1 - w),
            "heads and tails are swapped: heads, with probability w, gives a sample of P",
        ),
        (
            lambda p, q, w: weighted(p, q, 0.5, w),
            "your mixture knows w, your average does not: P is drawn in a share w of the games",
        ),
        (
            lambda p, q, w: weighted(p, q, w, 0.5),
            "your average knows w, your mixture does not: X comes from w P + (1 - w) Q",
        ),
        (
            lambda p, q, w: kl(p, w * p + (1 - w) * q) + kl(q, w * p + (1 - w) * q),
            "this is the sum of both divergences: average them, with the coin's probabilities",
        ),
        (
            lambda p, q, w: w * kl(w * p + (1 - w) * q, p) + (1 - w) * kl(w * p + (1 - w) * q, q),
            "the mixture comes first in both terms: samples are drawn from P or Q, so these do",
        ),
        (
            as_in_the_deck,
            "your second term is the deck's misprint: the mixture comes second, in both",
        ),
        (
            lambda p, q, w: w * kl(p, q) + (1 - w) * kl(q, p),
            "P and Q are compared with each other: compare both with the mixture",
        ),
        (
            lambda p, q, w: entropy(w * p + (1 - w) * q) - entropy(p) - entropy(q),
            "weigh the entropies: P is drawn with probability w, Q with 1 - w",
        ),
        (
            lambda p, q, w: entropy(w * p + (1 - w) * q),
            "this is H(X): how much of it does not come from the coin?",
        ),
        (
            lambda p, q, w: coin(w),
            "this is H(C), all that the coin holds: how much of it does the sample tell?",
        ),
        (
            lambda p, q, w: information(p, q, w) / coin(w),
            "this is the share of H(C); the exercise asks for nats",
        ),
        (
            lambda p, q, w: -information(p, q, w),
            "the sign is flipped: a sample takes nothing away from what is known",
        ),
    ),
    hints=(
        "From which distribution does X come when the coin is not seen?",
        "The ratio of the joint probability to the product of both is w p / (w m) = p / m on "
        "heads, and q / m on tails. How often is it heads?",
        "With m = w p + (1 - w) q, add w KL(P||M) and (1 - w) KL(Q||M).",
    ),
    absolute=1e-13,
    discovery="p = [0.5, 0.5] and q = [1, 0]: about which coin does the sample tell most? It is "
    "not the fair one.",
)


def js_of_three_cases(rng):
    fixed = [
        tuple(np.eye(3)),
        (np.array([0.5, 0.5, 0]), np.array([1.0, 0, 0]), np.array([0, 0.2, 0.8])),
        (np.array([1, 0]), np.array([1, 0]), np.array([0, 1])),
        (np.array([0.5, 0.5]),) * 3,
        (np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([0.5 + 1e-5, 0.5 - 1e-5])),
    ]
    return fixed + [tuple(rng.dirichlet(np.ones(k), 3)) for k in (3, 4, 26)]


def js_of_three(*distributions):
    """Entropy of the mixture minus mean entropy."""
    return entropy(np.mean(distributions, axis=0)) - np.mean([entropy(p) for p in distributions])


def js_of_three_loop(p, q, r):
    nats = 0
    for together in zip(p, q, r, strict=True):
        m = sum(together) / 3
        nats += sum(x * math.log(x / m) for x in together if x) / 3
    return nats


def against(mixture):
    """The mean KL from a mixture that need not be the right one."""
    return lambda p, q, r: (kl(p, m := mixture(p, q, r)) + kl(q, m) + kl(r, m)) / 3


def middle_first(*first):
    """The mean KL with the mixture first in the given terms, as in the deck's second one."""

    def answer(*distributions):
        m = np.mean(distributions, axis=0)
        pairs = [(m, p) if i in first else (p, m) for i, p in enumerate(distributions)]
        return sum(kl(*pair) for pair in pairs) / 3

    return answer


def geometric(p, q, r):
    return np.cbrt(p * q * r)


RUNNING_MEAN = (
    lambda p, q, r: p / 4 + q / 4 + r / 2,
    lambda p, q, r: p / 2 + q / 4 + r / 4,
    lambda p, q, r: p / 4 + q / 2 + r / 4,
)
MISPRINTED = ((1,), (2,), (1, 2), (0, 1, 2))

JS_OF_THREE = Exercise(
    name="js_of_three",
    cases=js_of_three_cases,
    oracle=lambda p, q, r: js_of_three(p, q, r),
    second_answer=js_of_three_loop,
    mistakes=(
        *(
            (
                against(mixture),
                "one of the three still weighs as much in M as the other two together: what are "
                "its weights?",
            )
            for mixture in RUNNING_MEAN
        ),
        (
            lambda p, q, r: 3 * js_of_three(p, q, r),
            "this is the sum of three divergences: take their mean",
        ),
        (
            lambda p, q, r: 3 / 2 * js_of_three(p, q, r),
            "the sum of three divergences is divided by two: take their mean",
        ),
        (
            against(lambda p, q, r: p + q + r),
            "your M sums to three, so it is not a distribution: divide it",
        ),
        (
            against(lambda p, q, r: (p + q + r) / 2),
            "your M does not sum to one, so it is not a distribution: there are three now",
        ),
        (
            against(lambda p, q, r: (p + q) / 2),
            "your M is that of P and Q alone: R belongs in it, too",
        ),
        *(
            (
                against(mixture),
                "your M is a geometric mean, zero where one of them is: take the plain mean",
            )
            for mixture in (geometric, lambda *case: geometric(*case) / geometric(*case).sum())
        ),
        *(
            (
                middle_first(*first),
                "M stands first in one term or more, as in the deck's misprint: it comes second",
            )
            for first in MISPRINTED
        ),
        (
            lambda p, q, r: (js_of_three(p, q) + js_of_three(p, r) + js_of_three(q, r)) / 3,
            "this is the mean JS of three pairs: compare each with the mixture of all three",
        ),
        (
            lambda p, q, r: js_of_three(p, q) + js_of_three(p, r) + js_of_three(q, r),
            "this is the JS of three pairs, added: compare each with the mixture of all three",
        ),
        (lambda p, q, r: js_of_three(p, q), "this is JS of P and Q alone: where is R?"),
        (lambda *case: js_of_three(*case) / LN2, "this is in bits: use the natural logarithm"),
        (
            lambda *case: js_of_three(*case) / np.log(3),
            "this is the share of log 3; the exercise asks for nats",
        ),
        (lambda *case: np.sqrt(js_of_three(*case)), "this is the square root: leave it out"),
        (
            lambda *case: -js_of_three(*case),
            "the sign is flipped: in each term the logarithm is that of p/m",
        ),
        (
            lambda *case: entropy(np.mean(case, axis=0)) - sum(entropy(p) for p in case),
            "weigh the entropies: of H(P), H(Q) and H(R), their mean is to be subtracted",
        ),
        (
            lambda *case: entropy(np.mean(case, axis=0)),
            "this is the entropy of M: subtract the mean entropy of the three",
        ),
    ),
    hints=(
        "Compare the orders that were printed. Which of the three does the report treat "
        "differently from the others?",
        "Print the report's M for (1, 0, 0), (0, 1, 0) and (0, 0, 1). A fair die would give (1/3, "
        "1/3, 1/3).",
        "M is the sum of the three, divided by three. The answer is the mean of KL(P||M), KL(Q||M) "
        "and KL(R||M).",
    ),
    absolute=1e-13,
    discovery="js_of_three(p, p, q) is what a coin tells that shows P twice as often: compare it "
    "with the first exercise.",
)

EXERCISES = (COIN_INFORMATION, JS_OF_THREE)
