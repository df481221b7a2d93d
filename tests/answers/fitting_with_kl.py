"""Right and wrong answers to the exercises of lecture 06."""

import numpy as np
from answers.collected import right, wrong
from scipy import optimize, stats


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
