"""Exercises on what several draws of a code are worth: a bound from all groups, a true count."""

import math
from collections import defaultdict
from decimal import Decimal
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from scipy.special import entr, softmax

from lecture_utils.exercises.exercise import Exercise


def draws_cases(rng):
    """By hand, then moderate densities, then some off the scale of exp, last in a single example.

    Without its constant a density may be huge: with 784 pixels of little noise, say.
    """
    cases = [
        (np.log([[1.0], [3.0]]), np.zeros((2, 1))),
        (np.log([[1.0, 2], [4, 1], [1, 1]]), np.log([[1.0, 1], [2, 1], [1, 0.5]])),
    ]
    for n_draws, levels in (
        (5, [0, -2, 1]),
        (4, [-3, 2]),
        (6, [-1200, 1500, -900, 0]),
        (5, [0, -1000]),
    ):
        log_q = rng.normal(-1, 1, (n_draws, len(levels)))
        cases.append((log_q + np.array(levels) + rng.normal(0, 1.5, log_q.shape), log_q))
    apart = np.array([[0.0], [-1000], [1500], [1501]])
    return [*cases, (rng.permutation(apart), np.zeros((4, 1)))]


def group_cases(rng):
    sizes = (2, 2, 3, 1, 3, 2, 2)
    return [(*case, k) for case, k in zip(draws_cases(rng), sizes, strict=True)]


def bound_by_masks(log_joint, log_q, k):
    """Build the sum of every group from the sum of a smaller one; a group is the bits of a mask."""
    log_w = log_joint - log_q
    log_sums = {0: np.full(log_w.shape[1], -np.inf)}
    of_size = defaultdict(list)
    for mask in range(1, 2 ** len(log_w)):
        first = (mask & -mask).bit_length() - 1
        log_sums[mask] = np.logaddexp(log_sums[mask & (mask - 1)], log_w[first])
        of_size[mask.bit_count()].append(log_sums[mask])
    return np.mean(of_size[k], axis=0) - math.log(k)


def bound_loop(log_joint, log_q, k):
    """With numbers whose exponents have no end, so that nothing underflows."""
    bounds = []
    for column in (log_joint - log_q).T.tolist():
        weights = [Decimal(value).exp() for value in column]
        logs = [float((sum(group) / k).ln()) for group in combinations(weights, k)]
        bounds.append(math.fsum(logs) / len(logs))
    return bounds


def log_mean(log_w):
    """Along the axis of the draws, the last but one."""
    return np.logaddexp.reduce(log_w, axis=-2) - math.log(log_w.shape[-2])


def in_groups(choose, bound=log_mean):
    """Turn a choice of groups, from the number of draws and k, into an answer.

    `bound` takes log-weights of shape (groups, k, n) to a value for each group and example.
    """

    def answer(log_joint, log_q, k):
        groups = np.array(list(choose(len(log_joint), k)))
        return bound((log_joint - log_q)[groups]).mean(axis=0)

    return answer


def every(n_draws, k):
    return combinations(range(n_draws), k)


def all_groups(bound):
    """Turn another value of a group into an answer."""
    return in_groups(every, bound)


def apart(n_draws, k):
    """Groups that share no draw, as in the lecture; what is left over is not used."""
    return np.arange(n_draws // k * k).reshape(-1, k)


def windows(n_draws, k):
    return [range(start, start + k) for start in range(n_draws - k + 1)]


def of_weights(rule):
    """Turn a rule for an answer, from the log-weights and k, into an answer."""
    return lambda log_joint, log_q, k: rule(log_joint - log_q, k)


def right_bound(log_w, k):
    return log_mean(log_w[np.array(list(every(len(log_w), k)))]).mean(axis=0)


def softmax_bound(log_w):
    """The average of the logs with the weights of a softmax."""
    return (softmax(log_w, axis=-2) * log_w).sum(axis=-2)


OFF_SCALE = (
    "right, but for densities off the scale exp gives 0 or infinity: take out the largest weight "
    "of a group first, or use scipy.special.logsumexp"
)
NOT_ALL = "these are not all groups of k draws: there are math.comb(K, k) of them"

IW_FROM_ALL_GROUPS = Exercise(
    name="iw_from_all_groups",
    cases=group_cases,
    oracle=lambda log_joint, log_q, k: bound_by_masks(log_joint, log_q, k),
    second_answer=bound_loop,
    mistakes=(
        (
            of_weights(lambda log_w, k: log_w.mean(axis=0)),
            "this is the mean of the logarithms, the ELBO: the mean over a group stands inside the "
            "logarithm",
        ),
        (
            all_groups(softmax_bound),
            "a softmax of the log-weights gives another average of the logarithms, and that is no "
            "bound: take the logarithm of the mean weight",
        ),
        (
            all_groups(lambda log_w: softmax_bound(-log_w)),
            "a softmax of the loss favours the worst draws, and gives less than the ELBO: take the "
            "logarithm of the mean weight",
        ),
        (
            all_groups(lambda log_w: np.logaddexp.reduce(log_w, axis=-2)),
            "log k is missing: the logarithm is that of a mean, not of a sum",
        ),
        (
            all_groups(lambda log_w: np.logaddexp.reduce(log_w, axis=-2) - log_w.shape[-2]),
            "k is subtracted: it is log k, since the sum is divided by k inside the logarithm",
        ),
        (
            all_groups(lambda log_w: np.logaddexp.reduce(log_w, axis=-2) / log_w.shape[-2]),
            "the logarithm is divided by k: divide the sum inside it, which subtracts log k",
        ),
        (
            of_weights(lambda log_w, k: right_bound(log_w, k) + math.log(k / len(log_w))),
            "log K is subtracted: a group has k draws, so it is log k",
        ),
        (
            all_groups(lambda log_w: np.log(np.exp(log_w).mean(axis=-2))),
            OFF_SCALE,
        ),
        (
            lambda log_joint, log_q, k: in_groups(every, lambda w: np.log(w.mean(axis=-2)))(
                np.exp(log_joint) / np.exp(log_q), 0, k
            ),
            OFF_SCALE,
        ),
        (
            all_groups(lambda log_w: np.log(np.exp(log_w).mean(axis=-2) + 1e-12)),
            "an epsilon under the logarithm makes a wrong bound of small densities: use "
            "scipy.special.logsumexp",
        ),
        (
            of_weights(
                lambda log_w, k: (
                    all_groups(lambda w: np.log(np.exp(w).mean(axis=-2)))(log_w - log_w.max(), 0, k)
                    + log_w.max()
                )
            ),
            "one largest weight for all examples is not enough: those far below it underflow, so "
            "each needs its own",
        ),
        (
            of_weights(lambda log_w, k: right_bound(log_w - log_w.max(axis=0), k)),
            "the largest log-weight was taken out and not added again",
        ),
        (
            in_groups(apart),
            "these are groups that share no draw, as in the lecture: take all groups of k",
        ),
        (
            of_weights(lambda log_w, k: log_mean(log_w[:k])),
            "this is one group, the first k draws: take all groups of k and average",
        ),
        (
            of_weights(lambda log_w, k: log_mean(log_w)),
            "this is IW-K, all draws in one logarithm: k of them make a group, and the mean over "
            "the groups is taken of the logarithms",
        ),
        (in_groups(windows), f"these are neighbouring draws only. {NOT_ALL}"),
        (
            in_groups(lambda n_draws, k: combinations_with_replacement(range(n_draws), k)),
            "a draw is in a group twice here: k different draws make a group",
        ),
        (
            in_groups(lambda n_draws, k: product(range(n_draws), repeat=k)),
            "a draw is in a group several times here: k different draws make a group",
        ),
        (
            lambda log_joint, log_q, k: right_bound(log_joint, k),
            "q is missing: draws from q are weighed by p(x, z) / q(z | x)",
        ),
        (
            lambda log_joint, log_q, k: right_bound(log_joint + log_q, k),
            "log q is added: the weight is a ratio, so subtract it",
        ),
        (
            lambda log_joint, log_q, k: right_bound(log_q - log_joint, k),
            "the weight is upside down: p(x, z) / q(z | x)",
        ),
        (
            of_weights(lambda log_w, k: -right_bound(log_w, k)),
            "this is the loss: the bound is its negative",
        ),
        (
            of_weights(lambda log_w, k: right_bound(log_w, k).mean()),
            "this is the mean over the examples: asked for is a number for each",
        ),
        (
            of_weights(lambda log_w, k: right_bound(log_w, k) / math.log(2)),
            "this is in bits: use the natural logarithm",
        ),
        (
            of_weights(lambda log_w, k: right_bound(log_w, k) * math.comb(len(log_w), k)),
            "the groups are added up: take their mean",
        ),
        (
            all_groups(lambda log_w: log_w.max(axis=-2)),
            "this is the best draw of each group: take the logarithm of the mean weight",
        ),
    ),
    hints=(
        "Two means: one over the k weights of a group, inside the logarithm, and one over the "
        "groups, outside it.",
        "itertools.combinations(range(K), k) lists the groups. For each of them the lecture's "
        "formula: logsumexp of its log-weights, minus log k.",
        "With log_w = log_joint - log_q collect logsumexp(log_w[list(group)], axis=0) - np.log(k) "
        "for every group in combinations(range(len(log_w)), k); np.mean of that along axis 0.",
    ),
)


def count_by_spread(log_joint, log_q):
    """K, made smaller by how far the weights spread: K / (1 + (std / mean)^2)."""
    log_w = log_joint - log_q
    weights = np.exp(log_w - log_w.max(axis=0))
    return len(weights) / (1 + (weights.std(axis=0) / weights.mean(axis=0)) ** 2)


def count_loop(log_joint, log_q):
    """With numbers whose exponents have no end."""
    counts = []
    for column in (log_joint - log_q).T.tolist():
        weights = [Decimal(value).exp() for value in column]
        counts.append(float(sum(weights) ** 2 / sum(weight * weight for weight in weights)))
    return counts


def counting(shares):
    """Turn a rule for the shares of the draws, from log p and log q, into an answer."""
    return lambda log_joint, log_q: 1 / np.sum(shares(log_joint, log_q) ** 2, axis=0)


def of_shares(rule):
    """Turn a rule for an answer, from the right shares, into an answer."""
    return lambda log_joint, log_q: rule(softmax(log_joint - log_q, axis=0))


def naive_shares(log_joint, log_q):
    weights = np.exp(log_joint - log_q)
    return weights / weights.sum(axis=0)


def of_ratio(log_joint, log_q):
    weights = np.exp(log_joint) / np.exp(log_q)
    return weights / weights.sum(axis=0)


def with_epsilon(log_joint, log_q):
    weights = np.exp(log_joint - log_q)
    return weights / (weights.sum(axis=0) + 1e-12)


def common_scale(log_joint, log_q):
    weights = np.exp(log_joint - log_q - (log_joint - log_q).max())
    return weights / weights.sum(axis=0)


def linear_shares(log_joint, log_q):
    return (log_joint - log_q) / (log_joint - log_q).sum(axis=0)


COUNT_OFF_SCALE = (
    "right, but for densities off the scale exp gives 0 or infinity: a common factor of the "
    "weights cancels, so take out the largest one of each example first"
)

EFFECTIVE_DRAWS = Exercise(
    name="effective_draws",
    cases=draws_cases,
    oracle=lambda log_joint, log_q: count_by_spread(log_joint, log_q),
    second_answer=count_loop,
    mistakes=(
        (
            lambda log_joint, log_q: np.full(log_q.shape[1], len(log_q)),
            "this is the report's K: draws of unequal weight do not count alike",
        ),
        (
            of_shares(lambda shares: np.sum(shares**2, axis=0)),
            "this is one over the number asked for",
        ),
        (
            of_shares(lambda shares: 1 / np.sqrt(np.sum(shares**2, axis=0))),
            "this is the square root of the number asked for",
        ),
        (
            of_shares(lambda shares: 1 / np.sum(shares, axis=0)),
            "the shares are not squared: they always add up to 1",
        ),
        (
            of_shares(lambda shares: 1 / np.mean(shares**2, axis=0)),
            "the squares are averaged: add them up, equal weights must give K",
        ),
        (
            of_shares(lambda shares: 1 / np.sum(shares**2, axis=0) / len(shares)),
            "this is the share of the draws that count: asked for is their number",
        ),
        (
            lambda log_joint, log_q: 1 / np.sum(np.exp(log_joint - log_q) ** 2, axis=0),
            "the weights are no shares: divide them by their sum first, for each example",
        ),
        (
            lambda log_joint, log_q: (
                np.sum(np.exp(log_joint - log_q), axis=0)
                / np.sum(np.exp(log_joint - log_q) ** 2, axis=0)
            ),
            "the sum of the weights is not squared: multiplying all weights by a number must "
            "change nothing",
        ),
        (
            of_shares(lambda shares: 1 / shares.max(axis=0)),
            "this is another number, from the largest share alone: take the squares of all",
        ),
        (
            of_shares(lambda shares: np.exp(entr(shares).sum(axis=0))),
            "this is another number, from the entropy of the shares: take their squares",
        ),
        (
            of_shares(lambda shares: np.sum(shares > 1 / len(shares), axis=0)),
            "this counts the draws of more than an equal share: take the squares of all shares",
        ),
        (
            of_shares(lambda shares: 1 / np.sum(shares**2)),
            "the squares of all examples are added up: each example has a number of its own",
        ),
        (
            lambda log_joint, log_q: 1 / np.sum(softmax(log_joint - log_q) ** 2),
            "the shares are those of all examples together: each example has shares of its own, "
            "along axis 0",
        ),
        (
            lambda log_joint, log_q: 1 / np.sum(softmax(log_joint - log_q) ** 2, axis=0),
            "the shares are those of all examples together: each example has shares of its own, "
            "along axis 0",
        ),
        (
            lambda log_joint, log_q: 1 / np.sum(softmax(log_joint - log_q, axis=1) ** 2, axis=1),
            "examples compete with one another here: the draws of one example do, along axis 0",
        ),
        (
            of_shares(lambda shares: np.mean(1 / np.sum(shares**2, axis=0))),
            "this is the mean over the examples: asked for is a number for each",
        ),
        (
            counting(lambda log_joint, log_q: softmax(log_joint, axis=0)),
            "q is missing: draws from q are weighed by p(x, z) / q(z | x)",
        ),
        (
            counting(lambda log_joint, log_q: softmax(log_q, axis=0)),
            "p is missing: draws from q are weighed by p(x, z) / q(z | x)",
        ),
        (
            counting(lambda log_joint, log_q: softmax(log_q - log_joint, axis=0)),
            "the weights are upside down, as in a softmax of the loss: p(x, z) / q(z | x)",
        ),
        (
            counting(lambda log_joint, log_q: softmax(log_joint + log_q, axis=0)),
            "log q is added: the weight is a ratio, so subtract it",
        ),
        (
            counting(linear_shares),
            "these are shares of the log-weights: take exp first",
        ),
        (
            counting(lambda log_joint, log_q: np.log(softmax(log_joint - log_q, axis=0))),
            "these are logarithms of shares: take exp first",
        ),
        (counting(naive_shares), COUNT_OFF_SCALE),
        (counting(of_ratio), COUNT_OFF_SCALE),
        (
            counting(with_epsilon),
            "for densities off the scale exp gives 0 or infinity, and hiding the 0/0 makes a wrong "
            "answer of it: take out the largest weight of each example first",
        ),
        (
            counting(common_scale),
            "one largest weight for all examples is not enough: those far below it underflow, so "
            "each needs its own",
        ),
        (
            lambda log_joint, log_q: (
                len(log_q)
                / (
                    1
                    + len(log_q)
                    / (len(log_q) - 1)
                    * (len(log_q) / count_by_spread(log_joint, log_q) - 1)
                )
            ),
            "nearly: this divides the variance of the weights by K - 1, it must be K",
        ),
    ),
    hints=(
        "What share of the sum does each draw have? Can a common factor of all weights of an "
        "example change it?",
        "The shares are a softmax of the log-weights, along axis 0. How do their squares add up "
        "when all are equal, and when one has everything?",
        "scipy.special.softmax(log_joint - log_q, axis=0) does not overflow. One over the sum of "
        "its squares along axis 0.",
    ),
)

EXERCISES = (IW_FROM_ALL_GROUPS, EFFECTIVE_DRAWS)
