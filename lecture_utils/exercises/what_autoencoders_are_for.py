"""Exercises on a threshold that keeps its promise, and on the AUROC when scores are equal."""

import math

import numpy as np
import torch
from scipy.stats import norm, rankdata
from torch import nn

from lecture_utils.autoencoders import mlp
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    called,
    functions,
    mostly_close,
    new_digits,
    squared_error,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise
from lecture_utils.training import fit


def alarm_cases(rng):
    """By hand, with a promise that three images cannot back, then errors smaller when seen.

    In the random cases share * (n + 1) is far from a whole number: rounding cannot matter, and in
    one of them the nearest rank is the wrong one.
    """
    scores = np.array([1.0, 5, 2, 7, 1.5, 6])
    seen = np.array([True, False, True, False, True, False])
    new = np.array([4.0, 8, 7, 20, 5.5])
    cases = [
        (scores, seen, new, 0.25),
        (scores, seen, new, 0.5),
        (scores, seen, new, 0.2),
        (np.array([2, 3, 1, 5]), np.array([True, False, True, False]), np.array([3, 6, 5]), 0.5),
        (np.array([2, 3, 1, 5]), np.array([True, False, True, False]), np.array([3, 6, 5]), 0.33),
    ]
    for n_seen, n, above, part in ((9, 7, 1, 0.2), (40, 24, 2, 0.6), (60, 45, 4, 0.4)):
        scores = np.concatenate([rng.gamma(4, 1.5, n_seen), rng.gamma(4, 2.5, n)])
        order = rng.permutation(n_seen + n)
        share = (above + part + rng.uniform(0, 0.2)) / (n + 1)
        new = np.concatenate([rng.gamma(4, 2.5, 50), rng.gamma(9, 2.5, 30)])
        cases.append((scores[order], order < n_seen, new, share))
    return cases


def alarms(threshold, new_scores):
    return threshold, np.mean(new_scores > threshold)


def threshold_by_rank(held_out, share):
    """The new image takes the place of an infinite score: one of n + 1 ranks, all as likely."""
    ranks = np.append(np.sort(held_out), np.inf)
    return ranks[math.ceil((1 - share) * len(ranks)) - 1]


def alarm_loop(scores, seen, new_scores, share):
    """Try each held-out score: how many of the n + 1 would be above it, the new one included?"""
    held_out = [score for score, was_seen in zip(scores, seen, strict=True) if not was_seen]
    threshold = math.inf
    for candidate in held_out:
        above = 1 + sum(score > candidate for score in held_out)
        if above <= share * (len(held_out) + 1):
            threshold = min(threshold, candidate)
    return threshold, sum(score > threshold for score in new_scores) / len(new_scores)


def thresholded(rule):
    """Turn a rule (held-out scores, share) -> threshold into an answer."""
    return lambda scores, seen, new_scores, share: alarms(rule(scores[~seen], share), new_scores)


def known_to(choose, rule=threshold_by_rank):
    """Turn a choice (scores, seen, new scores) of what the threshold is taken from into an answer.

    `rule` is what follows: the right one, or the lecture's quantile.
    """
    return lambda scores, seen, new_scores, share: alarms(
        rule(choose(scores, seen, new_scores), share), new_scores
    )


def lecture_quantile(known, share):
    return np.quantile(known, 1 - share)


def ranked(rank):
    """Turn a rule (n, share) -> rank of the threshold among n held-out scores into an answer."""
    return thresholded(
        lambda held_out, share: np.append(np.sort(held_out), np.inf)[
            min(max(rank(len(held_out), share), 1), len(held_out) + 1) - 1
        ]
    )


def counting(count):
    """Turn another second value, given the threshold, the new scores and share, into an answer."""

    def answer(scores, seen, new_scores, share):
        threshold = threshold_by_rank(scores[~seen], share)
        return threshold, count(threshold, new_scores, share)

    return answer


SEEN = (
    "the threshold is from images that were used in training: their scores are smaller, so the "
    "alarms are too many; take those that were held out"
)
ALL_KNOWN = (
    "the threshold is from all known images: those that were used in training have smaller scores, "
    "so leave them out"
)
FROM_NEW = (
    "the threshold is from the new images: they may hold any number of anomalies, and it would "
    "raise the same number of alarms whatever comes; use the known ones"
)
OTHER_SIDE = (
    "this is the other side: `share` is how many normal images may be above the threshold, not "
    "below"
)
ONE_RANK_LOW = (
    "one rank too low, and so the probability of an alarm is above `share`: with the new image "
    "there are n + 1 ranks, and a part of a rank is rounded up"
)
NORMAL_SHAPE = (
    "this takes the scores for Gaussian, and they are not: go by their order, which needs no "
    "formula for their distribution"
)

ALARM_THRESHOLD = Exercise(
    name="alarm_threshold",
    cases=alarm_cases,
    oracle=lambda scores, seen, new_scores, share: alarms(
        threshold_by_rank(scores[~seen], share), new_scores
    ),
    second_answer=alarm_loop,
    mistakes=(
        (
            thresholded(lecture_quantile),
            "this is the lecture's quantile, good enough for many images: for few it lies too low, "
            "since the new image is one more; count ranks among n + 1",
        ),
        (known_to(lambda scores, seen, new: scores[seen]), SEEN),
        (known_to(lambda scores, seen, new: scores[seen], lecture_quantile), SEEN),
        (known_to(lambda scores, seen, new: scores), ALL_KNOWN),
        (known_to(lambda scores, seen, new: scores, lecture_quantile), ALL_KNOWN),
        (known_to(lambda scores, seen, new: new), FROM_NEW),
        (known_to(lambda scores, seen, new: new, lecture_quantile), FROM_NEW),
        (thresholded(lambda held_out, share: np.quantile(held_out, share)), OTHER_SIDE),
        (ranked(lambda n, share: math.ceil((n + 1) * share)), OTHER_SIDE),
        (ranked(lambda n, share: math.floor((n + 1) * share)), OTHER_SIDE),
        (
            thresholded(lambda held_out, share: held_out.mean() + 2 * held_out.std()),
            f"mean plus two standard deviations does not know `share`, and {NORMAL_SHAPE}",
        ),
        (
            thresholded(lambda held_out, share: held_out.mean() + 2 * held_out.std(ddof=1)),
            f"mean plus two standard deviations does not know `share`, and {NORMAL_SHAPE}",
        ),
        (
            thresholded(
                lambda held_out, share: held_out.mean() + norm.ppf(1 - share) * held_out.std()
            ),
            NORMAL_SHAPE,
        ),
        (
            thresholded(
                lambda held_out, share: held_out.mean() + norm.ppf(1 - share) * held_out.std(ddof=1)
            ),
            NORMAL_SHAPE,
        ),
        (
            ranked(lambda n, share: math.ceil(n * (1 - share))),
            ONE_RANK_LOW,
        ),
        (
            ranked(lambda n, share: math.floor((n + 1) * (1 - share))),
            ONE_RANK_LOW,
        ),
        (
            ranked(lambda n, share: math.ceil((n + 1) * (1 - share)) + 1),
            "one rank too high: a smaller threshold keeps the promise, too",
        ),
        (
            ranked(lambda n, share: min(math.ceil((n + 1) * (1 - share)), n)),
            "right while there are enough held-out images: above the largest of n a new one is "
            "with probability 1/(n + 1), and if that is more than `share`, no score of them will "
            "do: infinity",
        ),
        (
            ranked(lambda n, share: n),
            "this is the largest held-out score: a smaller one may keep the promise, and for a "
            "small `share` even the largest does not",
        ),
        (
            counting(lambda threshold, new, share: np.mean(new >= threshold)),
            "the threshold is right, but an alarm is a score above it: one that equals it is quiet",
        ),
        (
            counting(lambda threshold, new, share: np.sum(new > threshold)),
            "the threshold is right, but this is the number of alarms; the exercise asks for "
            "their share",
        ),
        (
            counting(lambda threshold, new, share: np.mean(new <= threshold)),
            "the threshold is right, but this is the share of new images without an alarm",
        ),
        (
            counting(lambda threshold, new, share: share),
            "the threshold is right, but this is the share that was promised for normal images: "
            "count how many of the new ones are above",
        ),
    ),
    hints=(
        "Which of the known images are to the network what a new one is? Put the new one among "
        "them, sort all by score, and ask which rank the new one has.",
        "All n + 1 ranks are equally probable. So the new one is above the smallest of the n with "
        "probability n/(n + 1), above the next with (n - 1)/(n + 1), above the largest with "
        "1/(n + 1).",
        "With s = np.sort(scores[~seen]) the probabilities are np.arange(n, 0, -1) / (n + 1). The "
        "threshold is the first entry of s with a probability of at most `share`, or np.inf. The "
        "second value is np.mean(new_scores > threshold).",
    ),
)


def score_cases(rng):
    """By hand, a score that says nothing, then scores in steps, with one detector upside down."""
    cases = [
        (np.array([1.0, 2, 2]), np.array([2.0, 3])),
        (np.zeros(4), np.zeros(3)),
        (np.array([3.0, 1, 4]), np.array([1.0, 0, 0, 2])),
        (np.array([1e-12, 2e-12]), np.array([3e-12, 2e-12])),  # nearly equal is not equal
        (np.array([5, 7]), np.array([6])),
    ]
    # The steps are no whole numbers: who rounds the scores is found out.
    for n, m, shift, step in ((12, 9, 2, 1), (15, 30, -2, 0.3), (40, 25, 3, 0.15)):
        cases.append((step * rng.poisson(5, n), step * rng.poisson(5 + shift, m)))
    return cases


def auroc_by_ranks(normal, anomalous):
    """From the sum of the anomalies' ranks among all; equal scores share their mean rank."""
    n, m = len(normal), len(anomalous)
    ranks = rankdata(np.concatenate([anomalous, normal]))[:m]
    return (ranks.sum() - m * (m + 1) / 2) / (n * m)


def auroc_loop(normal, anomalous):
    points = sum((a > b) + (a == b) / 2 for a in anomalous.tolist() for b in normal.tolist())
    return points / (len(normal) * len(anomalous))


def shares_of_pairs(normal, anomalous):
    """Shares of pairs in which the anomaly has the higher score, and the same score."""
    return np.mean(anomalous[:, None] > normal), np.mean(anomalous[:, None] == normal)


def from_pairs(formula):
    """Turn a formula in those two shares into an answer."""
    return lambda normal, anomalous: formula(*shares_of_pairs(normal, anomalous))


def one_against_one(normal, anomalous):
    k = min(len(normal), len(anomalous))
    a, b = anomalous[:k], normal[:k]
    return np.mean((a > b) + (a == b) / 2)


def best_accuracy(normal, anomalous):
    thresholds = np.unique(np.concatenate([normal, anomalous, [-np.inf]]))
    right = [np.sum(normal <= t) + np.sum(anomalous > t) for t in thresholds]
    return max(right) / (len(normal) + len(anomalous))


def mean_rank(normal, anomalous):
    ranks = rankdata(np.concatenate([anomalous, normal]))[: len(anomalous)]
    return ranks.mean() / (len(normal) + len(anomalous))


def uncorrected_ranks(normal, anomalous):
    ranks = rankdata(np.concatenate([anomalous, normal]))[: len(anomalous)]
    return ranks.sum() / (len(normal) * len(anomalous))


EACH_WITH_EACH = (
    "the first is compared with the first, the second with the second: compare each anomaly with "
    "each normal image"
)
ONE_NORMAL_SCORE = (
    "all anomalies are compared with one number: compare them with each normal image, pair by pair"
)

AUROC_WITH_TIES = Exercise(
    name="auroc_with_ties",
    cases=score_cases,
    oracle=lambda normal, anomalous: auroc_by_ranks(normal, anomalous),
    second_answer=auroc_loop,
    mistakes=(
        (
            from_pairs(lambda above, equal: above + equal),
            "this is the report's: equal scores count as found, so one score for all images is "
            "perfect; count one half for them",
        ),
        (
            lambda normal, anomalous: np.mean(
                np.where(np.isclose(anomalous[:, None], normal), 0.5, anomalous[:, None] > normal)
            ),
            "scores that are nearly equal count as equal here: only exactly equal ones are ties, "
            "whatever the unit of the score",
        ),
        (
            from_pairs(lambda above, equal: above),
            "equal scores count nothing, so one score for all images would be worse than guessing: "
            "count one half for them",
        ),
        (
            from_pairs(lambda above, equal: above / (1 - equal)),
            "pairs of equal scores are left out: a detector that decides one pair in a hundred "
            "would be judged by that one; count one half for the others",
        ),
        (
            from_pairs(lambda above, equal: np.divide(above, 1 - equal) if equal < 1 else 0.5),
            "pairs of equal scores are left out: a detector that decides one pair in a hundred "
            "would be judged by that one; count one half for the others",
        ),
        (
            from_pairs(lambda above, equal: 1 - above - equal / 2),
            "this is upside down: the anomaly should have the higher score",
        ),
        (
            from_pairs(lambda above, equal: 0.5 + abs(above + equal / 2 - 0.5)),
            "this turns a detector around when it is below one half: only the labels say that it "
            "is, and in use there are none",
        ),
        (
            from_pairs(lambda above, equal: 2 * above + equal - 1),
            "this goes from -1 to 1, the share of pairs won minus the share of pairs lost: asked "
            "for is the share won, one half is guessing",
        ),
        (one_against_one, EACH_WITH_EACH),
        (
            lambda normal, anomalous: np.mean(
                [a > b for a, b in zip(anomalous, normal, strict=False)]
            ),
            f"{EACH_WITH_EACH}, and count one half for equal scores",
        ),
        (
            best_accuracy,
            "this is the accuracy at the best threshold, found with labels: the AUROC needs no "
            "threshold, it counts pairs",
        ),
        (lambda normal, anomalous: np.mean(anomalous > normal.mean()), ONE_NORMAL_SCORE),
        (lambda normal, anomalous: np.mean(anomalous > np.median(normal)), ONE_NORMAL_SCORE),
        (lambda normal, anomalous: np.mean(anomalous > normal.max()), ONE_NORMAL_SCORE),
        (lambda normal, anomalous: np.mean(anomalous >= normal.mean()), ONE_NORMAL_SCORE),
        (
            lambda normal, anomalous: (
                shares_of_pairs(normal, anomalous) @ np.array([1, 0.5]) * normal.size
            ),
            "this is the mean number of normal images below an anomaly: divide by how many there "
            "are",
        ),
        (
            lambda normal, anomalous: (
                (shares_of_pairs(normal, anomalous) @ np.array([1, 0.5]))
                * (len(normal) * len(anomalous))
            ),
            "this is the number of pairs: divide by how many pairs there are",
        ),
        (
            mean_rank,
            "this is the mean rank of the anomalies among all images: an anomaly need not be above "
            "other anomalies, so compare with normal images only",
        ),
        (
            uncorrected_ranks,
            "the ranks are among all images: take off what the anomalies have among themselves, "
            "m (m + 1) / 2",
        ),
    ),
    hints=(
        "What does the report's formula give to a score that is the same for every image? And what "
        "should it?",
        "Each pair has one point to give: to the anomaly when its score is higher, half of it when "
        "both are equal. The answer is the mean over all pairs, each anomaly with each normal "
        "image.",
        "anomalous[:, None] > normal is an array with an entry for each pair, and == gives another "
        "one. The mean of the first plus half the mean of the second.",
    ),
)


def lower_trial(build, rng):
    """The lower halves of unseen digits, held against the best linear guess."""
    digits = new_digits(rng)
    (complete,) = functions(build(tensor(digits.x_train)), ("what completes",))
    upper, lower = digits.x_test[:, :32], digits.x_test[:, 32:]
    guess = called(complete, upper, lower.shape, "what completes")
    alone = called(complete, upper[:7], (7, 32), "what completes")
    linear = linear_lower(digits.x_train)(upper)
    error, best = squared_error(lower, guess), squared_error(lower, linear)
    numbers = f"error {error:.2f}, linear {best:.2f}"
    seen = called(complete, digits.x_train[:, :32], (len(digits.x_train), 32), "what completes")
    on_seen = squared_error(digits.x_train[:, 32:], seen)
    fault = lower_fault(guess, error, best, on_seen, numbers)
    if not mostly_close(alone, guess[:7]):
        fault = "what an image gets changes with the images beside it: go row by row"
    return Outcome(fault, lambda: draw_lower(upper, lower, guess, linear, numbers))


def linear_lower(x_train):
    """Least squares from the upper half to the lower one, with an offset and a small ridge."""
    upper, lower = x_train[:, :32], x_train[:, 32:]
    centred = upper - upper.mean(axis=0)
    gram = centred.T @ centred / len(upper) + 1e-4 * np.eye(32)
    matrix = np.linalg.solve(gram, centred.T @ (lower - lower.mean(axis=0)) / len(upper))
    return lambda x: lower.mean(axis=0) + (x - upper.mean(axis=0)) @ matrix


def lower_fault(guess, error, best, on_seen, numbers):
    limit = 0.85 * best
    if error <= limit:
        return None
    numbers = f"{numbers}, at most {limit:.2f} will do"
    if guess.std(axis=0).max() < 1e-3:
        return f"{numbers}: every image gets the same lower half: use the upper one"
    if on_seen < 0.5 * error:
        return (
            f"{numbers}: on training digits the error is {on_seen:.2f}, so it overfits: a single "
            "neighbour, or too long a training, learns by heart"
        )
    if error > 1.25 * best:
        return (
            f"{numbers}: was it trained for this, with the upper half alone as its input? An "
            "autoencoder of whole images takes an empty half for a part of the digit"
        )
    return f"{numbers}: train longer, or widen the hidden layer; it must not be linear"


def draw_lower(upper, lower, guess, linear, numbers):
    from lecture_utils.plotting import show_images

    halves = [np.zeros_like(lower), lower, linear, guess]
    show_images(
        [np.hstack([upper, half])[:10] for half in halves],
        ["given", "digit", "linear", "yours"],
        f"The lower half: {numbers}",
        "Four rows of small digits: the upper half alone, the digit, and two completions.",
    )


def completer(hidden=256, epochs=60, network=None):
    """An answer that trains a network from the upper half to the lower one."""

    def build(x_train):
        model = network() if network else nn.Sequential(mlp(32, hidden, 32), nn.Sigmoid())
        fit(
            model,
            lambda m, x: ((m(x[:, :32]) - x[:, 32:]) ** 2).sum(1).mean(),
            x_train,
            epochs,
            max_lr=1e-2,
        )
        return model

    return build


def neighbours(k):
    """An answer without training: the mean of the lower halves of the k nearest upper ones."""

    def build(x_train):
        x = x_train.numpy().astype(float)

        def complete(upper):
            distance = ((upper.numpy()[:, None] - x[None, :, :32]) ** 2).sum(axis=2)
            return x[np.argsort(distance, axis=1)[:, :k], 32:].mean(axis=1)

        return complete

    return build


def autoencoded(fill):
    """An autoencoder of whole digits, given the upper half and something below it."""

    def build(x_train):
        decoder = nn.Sequential(mlp(8, 128, 64), nn.Sigmoid())
        model = nn.Sequential(mlp(64, 128, 8), decoder)
        fit(model, lambda m, x: ((m(x) - x) ** 2).sum(1).mean(), x_train, 60, max_lr=1e-2)
        below = fill(x_train)[32:]
        return lambda upper: model(torch.cat([upper, below.expand(len(upper), 32)], 1))[:, 32:]

    return build


LOWER_HALF = Building(
    name="lower_half",
    trial=lower_trial,
    parameters=["x_train"],
    second_answer=neighbours(7),
    mistakes=(
        (autoencoded(lambda x: 0 * x[0]), "with the upper half alone"),
        (autoencoded(lambda x: x.mean(0)), "with the upper half alone"),
        (neighbours(1), "overfits"),
        (lambda x_train: lambda upper: x_train[:, 32:].mean(0).expand(len(upper), 32), "the same"),
        (completer(network=lambda: nn.Linear(32, 32)), "it must not be linear|with the upper"),
        (completer(epochs=2), "with the upper half|longer"),
        (completer(network=lambda: mlp(32, 256, 64)), "raised RuntimeError|RuntimeError"),
        (lambda x_train: lambda upper: upper, "longer|alone"),
    ),
    hints=(
        "A network may have any input and any target. Which ones belong to this task?",
        "Train it with the upper halves as its input, x[:, :32], and the squared error against the "
        "lower halves, x[:, 32:], in the loss. A hidden layer makes it more than linear.",
        "model = nn.Sequential(mlp(32, 256, 32), nn.Sigmoid()) and the loss ((model(x[:, :32]) - "
        "x[:, 32:]) ** 2).sum(1).mean(), with 60 epochs and max_lr=1e-2.",
    ),
)

EXERCISES = (ALARM_THRESHOLD, AUROC_WITH_TIES, LOWER_HALF)
