"""Right and wrong answers to the exercises of lecture 04."""

import numpy as np
from answers.collected import right, wrong
from scipy import stats
from scipy.special import rel_entr

from lecture_utils.divergences import kl_divergence


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
