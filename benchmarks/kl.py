"""`kl_divergence_gaussian` against torch.distributions, for two close Gaussians.

The covariances are dense and differ by a factor of about 1 + 1e-6, so the divergence is known
exactly; one thread. "to ours" is seconds over those of `kl_divergence_gaussian`: above 1 is slower.
torch's time holds the making of its two distributions, ours the checks that both covariances are
symmetric, finite and not singular. The error is relative to the exact value; one of 1 or more means
that no digit is right.
"""

from decimal import Decimal

import numpy as np
import torch
from torch.distributions import MultivariateNormal
from torch.distributions.kl import kl_divergence

from benchmarks.stopwatch import best_seconds
from lecture_utils.divergences import kl_divergence_gaussian
from lecture_utils.training import set_up

HEADER = ("function", "k", "ms", "to ours", "relative error")
FACTOR = 1 + 68719 * 2**-36  # about 1 + 1e-6, of so few bits that whole numbers times it are exact


def by_torch(mean_p, cov_p, mean_q, cov_q):
    p, q = (
        MultivariateNormal(torch.from_numpy(mean), torch.from_numpy(cov))
        for mean, cov in ((mean_p, cov_p), (mean_q, cov_q))
    )
    return kl_divergence(p, q).item()


WAYS = {"kl_divergence_gaussian, ours": kl_divergence_gaussian, "torch.distributions": by_torch}


def rows():
    set_up(0)
    return [row for k in (10, 100, 500) for row in compare(k)]


def compare(k):
    integers = np.random.default_rng(k).integers(-9, 10, (k, 2 * k)).astype(float)
    cov, mean = integers @ integers.T, np.zeros(k)  # whole numbers: FACTOR * cov is exact too
    factor = Decimal(FACTOR)
    exact = float(k * (1 / factor - 1 + factor.ln()) / 2)
    arguments = (mean, cov, mean, FACTOR * cov)
    seconds = best_seconds([lambda w=way: w(*arguments) for way in WAYS.values()], 20)
    for (name, way), best in zip(WAYS.items(), seconds, strict=True):
        error = abs(float(way(*arguments)) - exact) / exact
        yield (name, str(k), f"{1000 * best:.2f}", f"{best / seconds[0]:.2f}", f"{error:.0e}")
