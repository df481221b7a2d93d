"""Right and wrong answers to the exercises of lecture 03."""

import math
from itertools import pairwise

import numpy as np
from answers.collected import right, wrong
from scipy import optimize
from scipy.special import rel_entr, softmax

from lecture_utils.divergences import kl_divergence


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
