"""Exercises on what several draws of a code are worth: a bound from all groups, a true count."""

import math
from collections import defaultdict
from decimal import Decimal
from itertools import combinations, combinations_with_replacement, product

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import entr, softmax
from torch import nn

from lecture_utils.autoencoders import Autoencoder, mlp, reconstruction_loss
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    called,
    functions,
    new_digits,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise
from lecture_utils.training import fit


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
            "this is the mean over the examples; the exercise asks for a number for each",
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
            "this is the share of the draws that count; the exercise asks for their number",
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
            "this is the mean over the examples; the exercise asks for a number for each",
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


def new_ones_trial(build, rng):
    """As many drawn images as there are test digits, held against draws from one Gaussian."""
    digits = new_digits(rng)
    n = len(digits.x_test)
    (draw,) = functions(build(tensor(digits.x_train)), ("what draws",))
    drawn = called(lambda _: draw(n), np.zeros((n, 64)), (n, 64), "what draws")
    again = called(lambda _: draw(n), np.zeros((n, 64)), (n, 64), "what draws")
    mean, covariance = digits.x_train.mean(axis=0), np.cov(digits.x_train.T)
    gaussian = rng.multivariate_normal(mean, covariance, n)
    return Outcome(
        new_ones_fault(drawn, again, gaussian, digits),
        lambda: draw_new_ones(drawn, gaussian, digits),
    )


def nearest(a, b):
    """For each row of a, the squared distance to the nearest row of b."""
    return cdist(a, b, "sqeuclidean").min(axis=1)


def new_ones_fault(drawn, again, gaussian, digits):
    if np.array_equal(drawn, again):
        return "the same images come out each time: draw new random numbers inside `draw`"
    copies = np.median(nearest(drawn, digits.x_train)) / np.median(
        nearest(digits.x_test, digits.x_train)
    )
    if copies < 0.25:
        return (
            f"these are copies: the squared distance to the nearest training digit is {copies:.2f} "
            "of what it is for real new digits"
        )
    like = nearest(drawn, digits.x_test).mean() / nearest(gaussian, digits.x_test).mean()
    if like > 0.75:
        return (
            f"the squared distance of a drawn image to the nearest real digit is {like:.2f} of "
            "what it is for the Gaussian's draws, at most 0.75 will do: how are the codes of real "
            "digits distributed? Draw from that"
        )
    spread = drawn.var(axis=0).sum() / digits.x_test.var(axis=0).sum()
    if spread < 0.62:
        return (
            f"the images differ too little from one another: their variance is {spread:.2f} of "
            "that of real digits"
        )
    covered = nearest(digits.x_test, drawn).mean() / nearest(digits.x_test, gaussian).mean()
    if covered > 0.75:
        return (
            "the images look like digits, but not like all of them: the squared distance of a real "
            f"digit to the nearest drawn image is {covered:.2f} of what it is for the Gaussian, at "
            "most 0.75 will do"
        )
    return None


def draw_new_ones(drawn, gaussian, digits):
    from lecture_utils.plotting import show_images

    drawn = drawn[:: len(drawn) // 10][:10]  # a mixture gives its components one after the other
    closest = digits.x_train[cdist(drawn, digits.x_train).argmin(axis=1)]
    show_images(
        [drawn, closest, gaussian[:10]],
        ["yours", "its nearest training digit", "one Gaussian"],
        "New digits",
        "Three rows: images that were drawn, the training digit nearest to each, and draws from "
        "one Gaussian with the mean and the covariance of the pixels.",
    )


def autoencoder_of(x_train, latent_dim=8, epochs=60):
    decoder = nn.Sequential(mlp(latent_dim, 128, 64), nn.Sigmoid())
    model = Autoencoder(mlp(64, 128, latent_dim), decoder)
    fit(model, reconstruction_loss, x_train, epochs, max_lr=1e-2)
    with torch.no_grad():
        return model, model.encoder(x_train).double().numpy()


def drawing_codes(density):
    """An answer that draws codes from a density, given the training codes, and decodes them."""

    def build(x_train):
        model, codes = autoencoder_of(x_train)
        draw_codes = density(codes)
        return lambda n: model.decoder(torch.tensor(draw_codes(n), dtype=torch.float32))

    return build


def mixture(codes):
    from sklearn.mixture import GaussianMixture

    fitted = GaussianMixture(10, reg_covar=1e-3, random_state=0).fit(codes)
    seeds = np.random.default_rng()
    fitted.random_state = np.random.RandomState(seeds.integers(2**31))
    return lambda n: fitted.sample(n)[0]


def one_gaussian(codes):
    rng = np.random.default_rng()
    return lambda n: rng.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), n)


def standard_normal(codes):
    rng = np.random.default_rng()
    return lambda n: rng.normal(size=(n, codes.shape[1]))


def mixture_of_pixels(x_train):
    """No network: a mixture of Gaussians on sixteen principal components."""
    from sklearn.decomposition import PCA

    pca = PCA(16).fit(x_train.numpy())
    draw_scores = mixture(pca.transform(x_train.numpy()))
    return lambda n: pca.inverse_transform(draw_scores(n))


def gaussian_of_pixels(x_train):
    return one_gaussian(x_train.double().numpy())


def averages_of_two(x_train):
    return lambda n: x_train[torch.randint(len(x_train), (2, n))].mean(0)


def noisy_copies(x_train):
    return lambda n: x_train[torch.randint(len(x_train), (n,))] + 0.03 * torch.randn(n, 64)


def reconstructions(x_train):
    model, _ = autoencoder_of(x_train)
    codes = model.encoder(x_train[:360])
    return lambda n: model.decoder(codes[:n])


NEW_ONES = Building(
    name="new_ones",
    trial=new_ones_trial,
    parameters=["x_train"],
    second_answer=mixture_of_pixels,
    mistakes=(
        (drawing_codes(standard_normal), "how are the codes of real"),
        (gaussian_of_pixels, "how are the codes of real"),
        (lambda x_train: lambda n: gaussian_of_pixels(x_train)(n).clip(0, 1), "how are the codes"),
        (averages_of_two, "differ too little"),
        (noisy_copies, "these are copies"),
        (lambda x_train: lambda n: x_train[torch.randperm(len(x_train))[:n]], "these are copies"),
        (reconstructions, "the same images come out each time"),
        (lambda x_train: lambda n: torch.rand(n, 64), "how are the codes|differ too little"),
        (lambda x_train: lambda n: torch.rand(n, 8, 8), r"asks for \(360, 64\)"),
    ),
    hints=(
        "A trained decoder makes a digit of a code. Which codes may it be given?",
        "Encode the training digits and look at how their codes are distributed: fit a density to "
        "them, draw from it, decode. One Gaussian will do, a mixture is better.",
        "codes = model.encoder(x_train); sklearn's GaussianMixture(10).fit(codes); its "
        "sample(n)[0] are n new codes for model.decoder. Or train a VAE and draw from N(0, I).",
    ),
)

EXERCISES = (IW_FROM_ALL_GROUPS, EFFECTIVE_DRAWS, NEW_ONES)
