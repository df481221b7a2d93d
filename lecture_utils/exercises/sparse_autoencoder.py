"""Exercises on the sparsity penalty with a weight from a book, and on how many units an image uses.

A code of tanh units goes from -1, off, to 1, on: it is the mean of a coin with these two sides.
"""

import math

import numpy as np
import torch
from scipy.special import entr, rel_entr, softmax
from torch import nn

from lecture_utils.autoencoders import reconstruction_loss
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    Trained,
    new_digits,
    pca_of,
    squared_error,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise, Wrong
from lecture_utils.training import fit


def tanh_cases(rng):
    """By hand, then codes of which some are on more often than off."""
    small = [
        ([[0], [0]], 0.25, 2.0),
        ([[0.5, 0.2], [0.1, 0.6]], 0.1, 3.0),
        ([[0.2, -0.4, 0]], 0.3, 1),
        ([[-0.9, 0.5], [-0.7, -0.3], [0.1, 0.7]], 0.1, 3.0),
    ]
    cases = [(np.array(codes, dtype=float), rho, weight) for codes, rho, weight in small]
    for n, units in ((6, 3), (9, 4)):
        codes = np.tanh(rng.normal(rng.uniform(-1, 0.5, units), 1, (n, units)))
        cases.append((codes, rng.uniform(0.05, 0.3), rng.uniform(1, 10)))
    return cases


def penalty_by_log_odds(codes, rho, book_lambda):
    """From the log-odds t of the coins: KL = A(t_j) - A(t) - rho (t_j - t), A(t) = log(1 + e^t)."""
    t = math.log(rho / (1 - rho))
    t_hat = 2 * np.arctanh(codes.mean(axis=0))
    kl = np.logaddexp(0, t_hat) - np.logaddexp(0, t) - rho * (t_hat - t)
    return kl.sum() * book_lambda / len(codes)


def penalty_loop(codes, rho, book_lambda):
    """Cross-entropy minus entropy of the coins, unit by unit."""
    total = 0
    for unit in codes.T.tolist():
        on = sum((1 + value) / 2 for value in unit) / len(unit)
        total -= rho * math.log(on) + (1 - rho) * math.log(1 - on)
        total += rho * math.log(rho) + (1 - rho) * math.log(1 - rho)
    return book_lambda * total / len(codes)


def kl_of_coins(rho, rho_hat):
    """NaN, not infinite, for what is no probability, as the formula with logarithms has it."""
    return rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))


def on_average(codes):
    return (1 + codes.mean(axis=0)) / 2


def of_coins(formula):
    """Turn a formula in rho and the mean activations into an answer with the right weight."""
    return lambda codes, rho, book_lambda: (
        formula(rho, on_average(codes)) * book_lambda / len(codes)
    )


def from_codes(formula):
    """Turn another rule for the mean activations into an answer."""
    return lambda codes, rho, book_lambda: (
        kl_of_coins(rho, formula(codes)).sum() * book_lambda / len(codes)
    )


def weighted(weight):
    """Turn another weight, given n and the book's, into an answer."""
    return lambda codes, rho, book_lambda: (
        kl_of_coins(rho, on_average(codes)).sum() * weight(len(codes), book_lambda)
    )


def only_where_the_mean_is_positive(codes, rho, book_lambda, answer):
    """An answer that takes the mean of a tanh unit for a probability, whatever else is wrong."""
    return np.isfinite(answer[0]).all() == (codes.mean(axis=0) > 0).all()


NO_COIN = (
    "a tanh unit goes from -1 to 1, and its mean may be negative, which no probability is: off is "
    "-1 and must become 0, on is 1"
)
TO_A_PROBABILITY = (
    "a tanh unit goes from -1, off, to 1, on, and a probability from 0 to 1: turn the one into the "
    "other first"
)
IMAGE_BY_IMAGE = (
    "this takes a mean activation for each image: rho_j belongs to a unit, so average over the "
    "images, axis 0"
)

PENALTY_TO_ADD = Exercise(
    name="penalty_to_add",
    cases=tanh_cases,
    oracle=lambda codes, rho, book_lambda: penalty_by_log_odds(codes, rho, book_lambda),
    second_answer=penalty_loop,
    mistakes=(
        (
            of_coins(lambda rho, on: kl_of_coins(on, rho).sum()),
            "the arguments are swapped: the target's coin comes first, KL(rho || rho_j)",
        ),
        (
            of_coins(lambda rho, on: kl_of_coins(rho, on).mean()),
            "this is the mean over the units: the penalty is their sum",
        ),
        (
            of_coins(lambda rho, on: kl_of_coins(rho, on)),
            "this is one number for each unit; the exercise asks for their sum",
        ),
        (from_codes(lambda codes: (1 + codes.mean(axis=1)) / 2), IMAGE_BY_IMAGE),
        (
            from_codes(lambda codes: (1 + codes.mean()) / 2),
            "this is one mean activation for all units: each unit has its own, so average along "
            "axis 0 only",
        ),
        (
            lambda codes, rho, book_lambda: (
                kl_of_coins(rho, (1 + codes) / 2).sum() * book_lambda / len(codes) ** 2
            ),
            "this averages the KL of every single activation: average the activations first, then "
            "take the KL",
        ),
        (
            lambda codes, rho, book_lambda: (
                kl_of_coins(rho, (1 + codes) / 2).sum() * book_lambda / len(codes)
            ),
            "this adds up the KL of every single activation: average the activations over the "
            "images first, then take the KL",
        ),
        (
            of_coins(lambda rho, on: kl_of_coins(rho, on).sum() / math.log(2)),
            "this is in bits: use the natural logarithm",
        ),
        (
            of_coins(lambda rho, on: np.sum(rho * np.log(rho / on))),
            "this is one half of the KL: a coin has two sides, the one with 1 - rho is missing",
        ),
        (
            of_coins(lambda rho, on: np.sum(-rho * np.log(on) - (1 - rho) * np.log(1 - on))),
            "this is the cross-entropy, which is not zero at the target: subtract the entropy of "
            "the target's coin",
        ),
        (
            of_coins(lambda rho, on: np.sum((on - rho) ** 2)),
            "this is the squared difference to the target: the lecture's penalty is the KL",
        ),
        (
            of_coins(lambda rho, on: -kl_of_coins(rho, on).sum()),
            "the sign is flipped: a penalty is added, and never negative",
        ),
        (
            weighted(lambda n, weight: weight),
            "this is the book's term: the book sums the error over the images, our loss takes the "
            "mean, so its weight is another",
        ),
        (
            weighted(lambda n, weight: weight * n),
            "the weight is converted the wrong way: our error is n times smaller than the book's, "
            "so the penalty must be, too",
        ),
        (
            weighted(lambda n, weight: weight / n**2),
            "this is divided by n twice: the weight is, and the mean activations are means already",
        ),
        (
            weighted(lambda n, weight: 1),
            "the weight is missing; the exercise asks for the whole term that is added to our loss",
        ),
        (
            weighted(lambda n, weight: 1 / n),
            "book_lambda is missing; the exercise asks for the whole term that is added to our "
            "loss",
        ),
        (from_codes(lambda codes: codes.mean(axis=0)), NO_COIN),
        (
            from_codes(lambda codes: 1 + codes.mean(axis=0)),
            "1 plus the mean goes from 0 to 2: a probability goes from 0 to 1, so halve it",
        ),
        (
            from_codes(lambda codes: abs(codes).mean(axis=0)),
            "absolute values take off for on: off is -1 and must become 0, on is 1",
        ),
        (
            from_codes(lambda codes: abs(codes.mean(axis=0))),
            "absolute values take off for on: off is -1 and must become 0, on is 1",
        ),
        (
            from_codes(lambda codes: codes.clip(0).mean(axis=0)),
            "cutting off at zero takes a unit at 0 for one that is off: off is -1 and must become "
            "0, halfway is a half",
        ),
        (
            from_codes(lambda codes: (codes > 0).mean(axis=0)),
            "this counts how often a unit is above zero: average its values instead",
        ),
        (
            from_codes(lambda codes: 1 / (1 + np.exp(-codes.mean(axis=0)))),
            "a second sigmoid is not needed: a straight line takes -1 to 0 and 1 to 1",
        ),
        (
            lambda codes, rho, book_lambda: (
                kl_of_coins((1 + rho) / 2, on_average(codes)).sum() * book_lambda / len(codes)
            ),
            "the target was converted, too: rho is a probability already",
        ),
        (
            from_codes(lambda codes: 1 - on_average(codes)),
            "this is how often the units are off: on is 1, off is -1",
        ),
    ),
    recognised=((only_where_the_mean_is_positive, NO_COIN),),
    advice=(("rho_hat holds a number outside [0, 1]", TO_A_PROBABILITY),),
    hints=(
        "Two conversions: from a mean between -1 and 1 to a probability, and from the book's "
        "weight to ours.",
        "The mean of a coin that shows 1 with probability p and -1 otherwise is 2 p - 1. And the "
        "book's loss is n times ours when its lambda is n times ours.",
        "rho_hat = (1 + codes.mean(axis=0)) / 2. Then the lecture's penalty, summed over the "
        "units, times book_lambda / len(codes).",
    ),
)


def code_cases(rng):
    """By hand, with an image that uses nothing, then codes as of sigmoid and of ReLU units."""
    small = [
        [[5, 0, 0.1], [5, 0, 0.1]],
        [[0, 0, 0], [0, 3, 0], [0.5, 0.25, 0.25]],
        [[0, 5]],
        [[1e-9, 2e8, 0], [3e-9, 0, 0], [0, 1e8, 1e-12]],  # any factor
        [[1e-9, 1e-9, 0], [2e8, 2e8, 2e8], [0, 0, 1e-12]],
    ]
    cases = [(np.array(codes),) for codes in small]
    for n, units, largest in ((6, 5, 1), (4, 7, 3)):
        codes = rng.uniform(0, largest, (n, units)) * (rng.uniform(size=(n, units)) < 0.6)
        codes[0] = 0
        codes[1, :2] = rng.uniform(0.1, 1, 2)  # at least two units
        cases.append((codes * 10.0 ** rng.uniform(-2, 2, units),))
    return cases


def level(codes):
    """Each unit divided by its mean over the images; one that is never on stays at zero."""
    means = codes.mean(axis=0)
    return codes / np.where(means > 0, means, 1)


def levelled(count):
    """Turn a count of units in use into one of units that have the same mean."""
    return lambda codes: count(level(codes))


def used_by_divergence(codes):
    """All units, made fewer by how far the shares are from equal ones: k exp(-KL(p || equal))."""
    codes = level(codes)
    total = codes.sum(axis=1)
    k = codes.shape[1]
    shares = codes / np.where(total > 0, total, 1)[:, None]
    return np.where(total > 0, k * np.exp(-rel_entr(shares, 1 / k).sum(axis=1)), 0)


def used_loop(codes):
    """The product of p to the power of minus p; Python takes 0 to the power of 0 for 1."""
    used = []
    sums = [sum(unit) for unit in codes.T.tolist()]
    for image in codes.tolist():
        row = [value / s if s else 0 for value, s in zip(image, sums, strict=True)]
        total = sum(row)
        shares = [value / total for value in row] if total else []
        used.append(math.prod(p**-p for p in shares) if total else 0)
    return used


def shares(codes, axis=1):
    """Along the axis; of nothing at all, zeros."""
    total = codes.sum(axis=axis, keepdims=True)
    return codes / np.where(total > 0, total, 1)


def entropies(codes):
    return entr(shares(codes)).sum(axis=1)


def used(codes):
    return np.where(codes.any(axis=1), np.exp(entropies(codes)), 0)


def naive_entropies(codes):
    p = codes / codes.sum(axis=1, keepdims=True)
    return -np.sum(p * np.log(p), axis=1)


NOTHING_ON = "an image that switches nothing on uses no unit"
ANY_FACTOR = (
    "only exact zeros count as off, since the decoder could undo any factor of a unit: an image "
    "whose activations are small uses units, too"
)
MEAN_IMAGE = (
    "this is from the mean activations, as the report does it: the mean image is no image, so "
    "count for each image by itself"
)

UNITS_IN_USE = Exercise(
    name="units_in_use",
    cases=code_cases,
    oracle=lambda codes: used_by_divergence(codes),
    second_answer=used_loop,
    mistakes=(
        (
            lambda codes: used(codes),
            "this is the lecture's count: multiply one unit by 100,000 and divide its decoder "
            "column by as much, and it is another number for the same network. Give each unit the "
            "same mean over the images first",
        ),
        (
            lambda codes: used(level(shares(codes))),
            "the order is the wrong way round: give each unit the same mean first, then take the "
            "shares of each image",
        ),
        (
            lambda codes: used(codes / np.where(codes.any(axis=0), codes.max(axis=0), 1)),
            "this gives each unit the same maximum over the images; the exercise asks for the "
            "same mean",
        ),
        (
            lambda codes: used(codes / np.where(codes.any(axis=0), codes.std(axis=0) + 1e-300, 1)),
            "this gives each unit the same standard deviation over the images; the exercise asks "
            "for the same mean",
        ),
        (
            lambda codes: used(
                codes / np.where(codes.any(axis=0), np.sqrt((codes**2).mean(axis=0)) + 1e-300, 1)
            ),
            "this gives each unit the same length over the images; the exercise asks for the "
            "same mean",
        ),
        (
            lambda codes: used(codes / codes.mean(axis=0)),
            "NaN comes from 0/0, a unit that is on for no image: it stays at zero",
        ),
        (levelled(lambda codes: np.exp(entr(shares(codes.mean(0)[None])).sum())), MEAN_IMAGE),
        (lambda codes: codes.mean(axis=0).sum(), MEAN_IMAGE),
        (
            levelled(lambda codes: np.exp(entr(shares(codes, 0)).sum(axis=0))),
            "this is how many images use a unit; the exercise asks for how many units an image "
            "uses, shares along axis 1",
        ),
        (
            levelled(lambda codes: np.exp(entr(codes / codes.sum()).sum())),
            "the shares are those of all images together: each row has shares of its own",
        ),
        (
            levelled(lambda codes: np.exp(entr(codes / codes.sum()).sum(axis=1))),
            "the shares are those of all images together: each row has shares of its own",
        ),
        (
            levelled(lambda codes: used(codes).mean()),
            "this is the mean over the images; the exercise asks for a number for each",
        ),
        (
            lambda codes: used_by_divergence(np.where(codes > 1e-6, codes, 0)),
            ANY_FACTOR,
        ),
        (
            lambda codes: np.where(codes.sum(axis=1) > 1e-6, used_by_divergence(codes), 0),
            ANY_FACTOR,
        ),
        (
            levelled(entropies),
            "this is the entropy in nats: how many equal shares have it?",
        ),
        (
            levelled(lambda codes: entropies(codes) / math.log(2)),
            "this is the entropy in bits: how many equal shares have it?",
        ),
        (
            levelled(lambda codes: np.where(codes.any(axis=1), 2 ** entropies(codes), 0)),
            "2 to the power of an entropy in nats: take e, or measure the entropy in bits",
        ),
        (
            levelled(
                lambda codes: np.where(codes.any(axis=1), np.exp(entropies(codes) / math.log(2)), 0)
            ),
            "e to the power of an entropy in bits: take 2, or measure the entropy in nats",
        ),
        (
            levelled(lambda codes: np.where(codes.any(axis=1), np.exp(-entropies(codes)), 0)),
            "the sign of the exponent is flipped: more units have more entropy",
        ),
        (
            levelled(lambda codes: np.exp(entropies(codes))),
            f"{NOTHING_ON}: 0, not 1",
        ),
        (
            levelled(lambda codes: np.exp(naive_entropies(codes))),
            "NaN comes from 0 times log 0, which counts as 0, and from 0/0: an image that switches "
            "nothing on uses 0 units",
        ),
        (
            levelled(lambda codes: np.where(codes.any(axis=1), np.exp(naive_entropies(codes)), 0)),
            "NaN comes from 0 times log 0, which counts as 0",
        ),
        (
            levelled(lambda codes: np.where(codes.any(axis=1), used(codes), np.nan)),
            f"{NOTHING_ON}: 0, not NaN",
        ),
        (
            levelled(lambda codes: np.exp(entr(codes).sum(axis=1))),
            "the activations are no shares: divide each row by its sum first",
        ),
        (
            levelled(lambda codes: np.exp(entr(softmax(codes, axis=1)).sum(axis=1))),
            "softmax makes a share of a unit that is off: divide by the sum instead",
        ),
        (
            lambda codes: np.sum(codes > 0.5, axis=1),
            "this counts units above one half: it changes when the code is multiplied by a number, "
            "and the decoder could undo that",
        ),
        (
            lambda codes: np.sum(codes > 0, axis=1),
            "this counts units above zero: one that is hardly on counts as much as the others",
        ),
        (
            lambda codes: np.mean(codes > 0.5, axis=1),
            "this is the share of units above one half; the exercise asks for a number of units, "
            "and one that does not change when the code is multiplied by a number",
        ),
        (
            lambda codes: codes.sum(axis=1),
            "this is the sum of the activations: many units that hum and a few that are on may "
            "have the same",
        ),
        (
            levelled(lambda codes: used(codes) / codes.shape[1]),
            "this is the share of the units; the exercise asks for their number",
        ),
        (
            levelled(
                lambda codes: np.where(
                    codes.any(axis=1), 1 / np.maximum((shares(codes) ** 2).sum(axis=1), 1e-300), 0
                )
            ),
            "this is a different number of units in use, from the squares of the shares: asked for "
            "is the one from their entropy",
        ),
    ),
    hints=(
        "Which number must not change when a unit is multiplied by a factor and its decoder column "
        "divided by it? What can you divide a unit by, so that the factor is gone?",
        "Two divisions: first each unit, a column, by its mean over the images, if it is not zero. "
        "Then the lecture's count, shares of each row.",
        "means = codes.mean(axis=0), then codes / np.where(means > 0, means, 1), then np.exp of "
        "the entropy of the shares of each row. lecture_utils.divergences.entropy knows what "
        "0 log 0 is; rows that are all zero give 0.",
    ),
)


def five_trial(build, rng):
    """At most five units on, held against PCA with five; and units that are never on are wasted."""
    digits = new_digits(rng)
    trained = Trained(build(tensor(digits.x_train)), digits, None)
    on = np.abs(trained.codes) > 1e-6
    if on.shape[1] < 32:
        raise Wrong(f"the code has {on.shape[1]} units: at least 32 are asked for")
    by_pca = pca_of(digits, 5)
    pca = squared_error(digits.x_test, by_pca)
    numbers = f"error {trained.error:.2f}, PCA {pca:.2f}"
    return Outcome(
        five_fault(trained, on, pca, numbers),
        lambda: trained.draw(f"Five units on: {numbers}", [("PCA", by_pca)]),
    )


def five_fault(trained, on, pca, numbers):
    most = on.sum(axis=1).max()
    if most > 5:
        return f"an image switches {most} units on: at most 5 are allowed, also after training"
    limit = 0.5 * pca
    used = on.any(axis=0)
    if used.mean() < 0.5:
        return (
            f"{numbers}, and only {used.sum()} of {len(used)} units are ever on: start with "
            "decoder columns of length one, the encoder as their transpose, and biases that take "
            "the mean image out"
        )
    if trained.error > limit:
        return f"{numbers}, at most {limit:.2f} will do: train longer, or offer more units"
    return None


class TopK(nn.Module):
    """A ReLU layer of which each image keeps the k largest; a linear decoder."""

    def __init__(self, x_train, units=128, k=5, axis=1, well_begun=True):
        super().__init__()
        self.encode_all, self.decoder = nn.Linear(64, units), nn.Linear(units, 64)
        self.k, self.axis = k, axis
        if well_begun:
            columns = nn.functional.normalize(torch.randn(64, units), dim=0)
            mean = x_train.mean(0)
            with torch.no_grad():
                self.decoder.weight.copy_(columns)
                self.decoder.bias.copy_(mean)
                self.encode_all.weight.copy_(columns.T)
                self.encode_all.bias.copy_(-columns.T @ mean)

    def encoder(self, x):
        h = torch.relu(self.encode_all(x))
        largest, places = h.topk(min(self.k, h.shape[self.axis]), self.axis)
        return torch.zeros_like(h).scatter(self.axis, places, largest)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def top_k(epochs=60, **settings):
    """An answer with this model."""

    def build(x_train):
        model = TopK(x_train, **settings)
        fit(model, reconstruction_loss, x_train, epochs, max_lr=1e-2)
        return model

    return build


def five_by_threshold(x_train):
    """All below the fifth largest is set to zero; plain Adam, two matrices."""
    mean = x_train.mean(0)
    columns = nn.functional.normalize(torch.randn(96, 64), dim=1).requires_grad_()
    rows = columns.detach().clone().requires_grad_()

    def encode(x):
        h = torch.relu((x - mean) @ rows.T)
        fifth = h.sort(dim=1, descending=True).values[:, 4:5]
        return h * (h >= fifth)

    def decode(h):
        return h @ columns + mean

    optimizer = torch.optim.Adam([columns, rows], lr=5e-3)
    for _ in range(60):
        for index in torch.randperm(len(x_train)).split(128):
            loss = ((decode(encode(x_train[index])) - x_train[index]) ** 2).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return encode, decode


def all_on(x_train):
    """The k largest are kept while training only."""
    model = top_k()(x_train)
    return lambda x: torch.relu(model.encode_all(x)), model.decoder


def principal_five(x_train):
    mean, directions = x_train.mean(0), torch.linalg.svd(x_train - x_train.mean(0)).Vh[:32]
    kept = torch.zeros(32)
    kept[:5] = 1
    return lambda x: (x - mean) @ directions.T * kept, lambda h: h @ directions + mean


FIVE_OF_MANY = Building(
    name="five_of_many",
    trial=five_trial,
    parameters=["x_train"],
    second_answer=five_by_threshold,
    mistakes=(
        (top_k(well_begun=False), "units are ever on: start"),
        (top_k(k=6), "switches 6 units on"),
        (all_on, r"switches \d+ units on: at most 5"),
        (top_k(axis=0), "images beside it|units on"),
        (top_k(epochs=1), "train longer"),
        (top_k(units=16), "16 units: at least 32"),
        (principal_five, "only 5 of 32 units"),
        (lambda x_train: None, "`return` missing"),
    ),
    hints=(
        "Keep the five largest activations of each image and set the others to zero, in the "
        "encoder itself. What becomes of a unit that is never among the five?",
        "largest, places = h.topk(5, dim=1), then torch.zeros_like(h).scatter(1, places, largest). "
        "A unit that never wins gets no gradient, so how the weights start decides.",
        "Decoder columns: random, of length one. Encoder weights: their transpose. Decoder bias: "
        "the mean image m; encoder bias: minus the encoder weights times m. 128 units, 60 epochs.",
    ),
)

EXERCISES = (PENALTY_TO_ADD, UNITS_IN_USE, FIVE_OF_MANY)
