"""Exercises on detours that are shorter than the direct route, and on the nearest distribution."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr, softmax

from lecture_utils.exercises.exercise import Exercise

LN2 = np.log(2)


def kl(p, q):
    """Plain, because wrong answers call it with what is no distribution."""
    return rel_entr(p, q).sum(axis=-1)


def segment(p, q, t):
    """The points (1 - t) P + t Q, one row for each t."""
    return p + np.multiply.outer(t, q - p)


def geometric(p, q, t):
    """The weighted geometric means of P and Q, divided by their sum; one row for each t."""
    return softmax(segment(np.log(p), np.log(q), t), axis=-1)


def random_pair(rng, k):
    return tuple(rng.dirichlet(np.full(k, 2.0), 2) * 0.9 + 0.1 / k)


def way_cases(rng):
    p, q = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    small = [(p, q, 1), (p, q, 2), (np.array([0.5, 0.5]), q, 3)]
    rare = np.array([1 - 2e-9, 1e-9, 1e-9]), np.array([0.2, 0.3, 0.5])
    small += [(p, p, 4), (p, q, 49), (*rare, 3), (*rare[::-1], 1000)]
    some = (2, 5, rng.integers(6, 200))  # of which numpy.arange gives one end too many to some
    return small + [(*random_pair(rng, k), int(n)) for k, n in zip((3, 4, 9), some, strict=True)]


def way_by_savings(p, q, n_legs):
    """The direct route, less what each stop saves by the three-point identity."""
    stops = segment(p, q, np.arange(1, n_legs) / n_legs)
    return kl(p, q) - ((p - q) * np.log(stops / q)).sum() / n_legs


def way_loop(p, q, n_legs):
    length, here = 0, list(p)
    for leg in range(1, n_legs + 1):
        there = [a + (b - a) * leg / n_legs for a, b in zip(p, q, strict=True)]
        length += sum(a * math.log(a / b) for a, b in zip(here, there, strict=True))
        here = there
    return length


def legs(p, q, n_legs, points=segment):
    stops = points(p, q, np.linspace(0, 1, n_legs + 1))
    return kl(stops[:-1], stops[1:])


WAY_IN_LEGS = Exercise(
    name="way_in_legs",
    cases=way_cases,
    oracle=lambda p, q, n_legs: way_by_savings(p, q, n_legs),
    second_answer=way_loop,
    mistakes=(
        (
            lambda p, q, n: kl(p, q),
            "this is the direct route, as if all stops stood at P: move them apart",
        ),
        (
            lambda p, q, n: legs(p, q, 2).sum(),
            "this goes via the middle alone, whatever n_legs is",
        ),
        (
            lambda p, q, n: legs(q, p, n).sum(),
            "each leg is walked backwards: where it starts comes first",
        ),
        (
            lambda p, q, n: kl(p, segment(p, q, np.arange(1, n + 1) / n)).sum(),
            "each leg starts at P: it starts where the one before it ended",
        ),
        (
            lambda p, q, n: kl(segment(p, q, np.arange(n) / n), q).sum(),
            "each leg ends at Q: it ends where the next one starts",
        ),
        (
            lambda p, q, n: legs(p, q, n + 1).sum(),
            "this is one leg too many: n legs have n - 1 stops between P and Q",
        ),
        (
            lambda p, q, n: legs(p, q, n - 1).sum(),
            "this is one leg too few: n legs have n + 1 ends, P and Q among them",
        ),
        (
            lambda p, q, n: legs(p, q, n).sum() + kl(q, p),
            "one leg leads back from Q to P: an array's index -1 is its last entry",
        ),
        (lambda p, q, n: legs(p, q, n)[:-1].sum(), "the last leg is missing, the one into Q"),
        (lambda p, q, n: legs(p, q, n)[1:].sum(), "the first leg is missing, the one out of P"),
        (lambda p, q, n: legs(p, q, n).mean(), "this is the mean of the legs: add them up"),
        (lambda p, q, n: legs(p, q, n), "these are the legs: add them up"),
        (
            lambda p, q, n: kl(p, q) - legs(p, q, n).sum(),
            "this is by how much the way is shorter; the exercise asks for its length",
        ),
        (
            lambda p, q, n: (kl(p, q) + kl(q, p)) / (2 * n),
            "this is what the length comes close to for many legs: add up the legs themselves",
        ),
        (
            lambda p, q, n: legs(p, q, n, geometric).sum(),
            "your stops are geometric means: mix the probabilities, not their logarithms",
        ),
        (
            lambda p, q, n: legs(p, q, n).sum() / LN2,
            "this is in bits: use the natural logarithm",
        ),
    ),
    hints=(
        "Write down all n_legs + 1 ends of legs in one array, the first P, the last Q.",
        "End number i is (1 - i/n) P + (i/n) Q. A leg goes from one row of that array to the next.",
        "With `ends` of shape (n_legs + 1, k): kl_divergence(ends[:-1], ends[1:]).sum().",
    ),
    absolute=1e-12,
    discovery="try 10, 100 and 1000 legs. The length tends to 0, like "
    "(KL(P||Q) + KL(Q||P)) / (2n): compare both.",
)


def belief_cases(rng):
    p = np.array([0.5, 0.3, 0.2])
    small = [([False, True, True], 0.8), ([True, False, False], 0.95), ([True, True, False], 0.6)]
    cases = [(p, np.array(event), c) for event, c in small]
    even = np.array([0.25, 0.25, 0.5])
    cases += [(even, np.array([True, True, False]), c) for c in (0.5, 1e-6, 1 - 1e-9)]
    cases += [(np.array([1e-9, 1 - 1e-9]), np.array([True, False]), 0.9)]
    for k, direction in ((4, 1), (5, -1), (8, 1), (10, -1)):
        some, event = rng.dirichlet(np.full(k, 3.0)), rng.permutation(np.arange(k) < k // 2)
        c = some[event].sum()
        c += direction * rng.uniform(0.3, 0.7) * (1 - c if direction > 0 else c)
        cases.append((some, event, float(c)))
    return cases


def belief_by_tilt(p, event, c):
    """The lecture's tilt with A = 1 in the event and 0 outside it, found by a search for lambda."""

    def tilt(lam):
        return softmax(np.log(p) + lam * event)

    if p @ event >= c:
        return p
    return tilt(brentq(lambda lam: tilt(lam) @ event - c, 0, 50, xtol=1e-13))


def belief_loop(p, event, c):
    inside = sum(a for a, is_in in zip(p, event, strict=True) if is_in)
    if inside >= c:
        return list(p)
    odds = c / (1 - c) / (inside / (1 - inside))
    weights = [a * odds if is_in else a for a, is_in in zip(p, event, strict=True)]
    return [weight / sum(weights) for weight in weights]


def unless_in_set(move):
    """Turn a way to move P into the set into an answer that leaves P alone when it is there."""
    return lambda p, event, c: p if p[event].sum() >= c else move(p, event, c)


def scaled(p, event, c):
    a = p[event].sum()
    return p * np.where(event, c / a, (1 - c) / (1 - a))


def euclidean(p, event, c):
    gain = c - p[event].sum()
    return p + np.where(event, gain / event.sum(), -gain / (~event).sum())


def clipped(p, event, c):
    q = euclidean(p, event, c).clip(0)
    return q / q.sum()


def only_event_scaled(p, event, c):
    return np.where(event, p * c / p[event].sum(), p)


def rescaled(p, event, c):
    q = only_event_scaled(p, event, c)
    return q / q.sum()


def rest_shared_evenly(p, event, c):
    return np.where(event, p * c / p[event].sum(), (1 - c) / (~event).sum())


def all_shared_evenly(p, event, c):
    return np.where(event, c / event.sum(), (1 - c) / (~event).sum())


def conditional(p, event, c):
    return np.where(event, p / p[event].sum(), 0)


NOT_EVEN = "this is nearest by squared differences: for KL, what may change are factors, not sums"

NEAREST_BELIEF = Exercise(
    name="nearest_belief",
    cases=belief_cases,
    oracle=lambda p, event, c: belief_by_tilt(p, event, c),
    second_answer=belief_loop,
    mistakes=(
        (unless_in_set(euclidean), NOT_EVEN),
        (unless_in_set(clipped), NOT_EVEN),
        (euclidean, NOT_EVEN),
        (
            unless_in_set(only_event_scaled),
            "your Q does not sum to one: what the event gains, the other outcomes lose",
        ),
        (
            unless_in_set(rescaled),
            "your Q sums to one, but the event no longer has probability c: find a factor for the "
            "event and another for the rest",
        ),
        (
            scaled,
            "P was moved although it is in E already: then the nearest member of E is P itself",
        ),
        (
            unless_in_set(conditional),
            "the event became certain: it need only have probability c",
        ),
        (
            unless_in_set(rest_shared_evenly),
            "the outcomes outside the event share evenly now: keep their proportions, too",
        ),
        (
            unless_in_set(all_shared_evenly),
            "your Q has forgotten P: keep the proportions inside the event, and outside it",
        ),
        (
            lambda p, event, c: scaled(p, event, c) if p[event].sum() >= c else p,
            "the two cases are mixed up: move P when it is outside E",
        ),
        (
            lambda p, event, c: unless_in_set(scaled)(p, ~event, c),
            "this gives the other outcomes probability c: `event` is true inside the event",
        ),
    ),
    hints=(
        "Is P in E already? If not: the nearest Q is a tilt of P with A = 1 inside the event and "
        "0 outside.",
        "All outcomes inside get the same factor, all outside another. Q must sum to one, and lies "
        "on the edge of E.",
        "With a = P(event) < c, the factor is c / a inside and (1 - c) / (1 - a) outside.",
    ),
    absolute=1e-12,
    discovery="let c come close to 1: which well-known rule does your answer turn into?",
)


def saving_cases(rng):
    p, q = np.array([0.8, 0.2]), np.array([0.2, 0.8])
    small = [(p, q, 0.5), (np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.3, 0.6]), 0.25)]
    low, high = rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)
    small += [(p, q, 0.0), (p, q, 1.0), (p, p, 0.3)]
    small += [(np.array([1 - 2e-9, 1e-9, 1e-9]), np.array([0.2, 0.3, 0.5]), 0.9)]
    return small + [(*random_pair(rng, k), float(t)) for k, t in ((3, low), (5, high), (9, low))]


def saving_by_identity(p, q, t):
    """The right side of the three-point identity."""
    r = geometric(p, q, t)
    return ((p - r) * np.log(r / q)).sum()


def saving_loop(p, q, t):
    weights = [a ** (1 - t) * b**t for a, b in zip(p, q, strict=True)]
    saving = 0
    for a, b, weight in zip(p, q, weights, strict=True):
        r = weight / sum(weights)
        saving += a * math.log(a / b) - a * math.log(a / r) - r * math.log(r / b)
    return saving


def saving_through(stop):
    """The saving through the stop that a function of p, q, t gives."""
    return lambda p, q, t: kl(p, q) - kl(p, stop(p, q, t)) - kl(stop(p, q, t), q)


def through_geometric(formula):
    """Turn a formula in p, q, r into an answer."""
    return lambda p, q, t: formula(p, q, geometric(p, q, t))


SAVING_OFF_THE_SEGMENT = Exercise(
    name="saving_off_the_segment",
    cases=saving_cases,
    oracle=lambda p, q, t: saving_by_identity(p, q, t),
    second_answer=saving_loop,
    mistakes=(
        (
            saving_through(segment),
            "this R is on the segment: mix the logarithms, not the probabilities",
        ),
        (
            saving_through(lambda p, q, t: p ** (1 - t) * q**t),
            "your R does not sum to one: divide it by its sum",
        ),
        (
            saving_through(lambda p, q, t: geometric(q, p, t)),
            "t and 1 - t are swapped: at t = 0, R is P",
        ),
        (
            saving_through(lambda p, q, t: geometric(p, q, 0.5)),
            "this is R with t = 1/2, whatever t is",
        ),
        (lambda p, q, t: 0.0, "R = P saves nothing: take the R of the task"),
        (
            through_geometric(lambda p, q, r: kl(p, r) + kl(r, q) - kl(p, q)),
            "the sign is flipped: positive where the detour is shorter",
        ),
        (
            through_geometric(lambda p, q, r: kl(p, r) + kl(r, q)),
            "this is the detour: subtract it from the direct route",
        ),
        (
            through_geometric(lambda p, q, r: kl(p, q) - kl(r, p) - kl(q, r)),
            "both legs are walked backwards: where a leg starts comes first",
        ),
        (
            through_geometric(lambda p, q, r: kl(p, q) - kl(r, p) - kl(r, q)),
            "the first leg is walked backwards: it starts at P",
        ),
        (
            through_geometric(lambda p, q, r: kl(p, q) - kl(p, r) - kl(q, r)),
            "the second leg is walked backwards: it starts at R",
        ),
        (
            through_geometric(lambda p, q, r: kl(p, q) - kl(p, r)),
            "the second leg is missing, the one from R to Q",
        ),
        (
            lambda *case: saving_by_identity(*case) / LN2,
            "this is in bits: use the natural logarithm",
        ),
    ),
    hints=(
        "First build R and look at it: does it sum to one? Is it P for t = 0, and Q for t = 1?",
        "Take p ** (1 - t) * q ** t and divide by the sum. Then compare three divergences.",
        "The saving is KL(P||Q) - KL(P||R) - KL(R||Q).",
    ),
    absolute=1e-12,
    discovery="p = [0.6, 0.3, 0.1], q = [0.1, 0.3, 0.6], t = 0.5: print R. Is it on the segment? "
    "Then let t run from 0 to 1.",
)

EXERCISES = (WAY_IN_LEGS, NEAREST_BELIEF, SAVING_OFF_THE_SEGMENT)
