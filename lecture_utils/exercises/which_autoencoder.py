"""Exercises on what makes a comparison fair, and on what can be said when no type is best."""

import math

import numpy as np

from lecture_utils.exercises.exercise import Exercise


def curve_cases(rng):
    """By hand, then trainings in which each column of the report hides an advantage.

    The type with the fewest updates has the smallest code. So it does not matter whether the budget
    is taken over all types or over those with the smallest code.
    """
    by_hand = (
        np.array([[[5.0, 3, 4, 6]], [[0.06, 0.04, 0.02, 0.01]]]),
        np.array([[[6.0, 4, 3, 7]], [[0.07, 0.05, 0.03, 0.02]]]),
        np.array([1, 100]),
        np.array([10, 20]),
        np.array([16, 16]),
    )
    return [by_hand, *(curves(rng, *shape) for shape in ((4, 2, 6), (5, 4, 9), (6, 3, 12)))]


def curves(rng, n_types, n_trainings, n_epochs):
    updates = np.array([12, 30, *rng.integers(13, 31, n_types - 2)])
    code_sizes = np.full(n_types, 16)
    code_sizes[-1] = 40  # and so the best of all, below
    divided_by = np.where(np.arange(n_types) % 2, 64, 1)
    epoch = np.arange(1, n_epochs + 1)
    level = 1 + 3 * np.exp(-epoch * updates[:, None] / (8 * n_epochs))
    level[-1] *= 0.2
    shape = (n_types, n_trainings, n_epochs)
    seeds = rng.uniform(0.7, 1.3, (n_types, n_trainings, 1))
    validation, test = (
        level[:, None] * seeds * rng.gamma(20, 1 / 20, shape) / divided_by[:, None, None]
        for _ in range(2)
    )
    return validation, test, divided_by, updates, code_sizes


def winner_among(errors, allowed):
    return np.where(allowed, errors, np.inf).argmin()


def fair_by_masks(validation, test, divided_by, updates, code_sizes):
    """All types at once: epochs beyond the budget have an infinite error."""
    spent = updates[:, None, None] * np.arange(1, validation.shape[2] + 1)
    budget = spent[:, :, -1].min()
    best = np.where(spent <= budget, validation, np.inf).argmin(axis=2)
    errors = np.take_along_axis(test, best[:, :, None], axis=2).mean(axis=(1, 2)) * divided_by
    return errors, winner_among(errors, code_sizes == code_sizes.min())


def fair_loop(validation, test, divided_by, updates, code_sizes):
    budget = min(updates) * validation.shape[2]
    errors = []
    for i, used in enumerate(updates):
        total = 0
        for checked, reported in zip(validation[i].tolist(), test[i].tolist(), strict=True):
            pairs = zip(checked[: budget // used], reported, strict=False)
            total += min(pairs)[1] * divided_by[i]
        errors.append(total / test.shape[1])
    small = [i for i, size in enumerate(code_sizes) if size == min(code_sizes)]
    return errors, min(small, key=errors.__getitem__)


def within_budget(updates, n_epochs):
    """How many epochs each type may have."""
    return updates.min() * n_epochs // updates


def at_best(chosen_on, reported, n_epochs):
    """Of one type: the reported error of each training at the epoch that is best in `chosen_on`."""
    best = chosen_on[:, :n_epochs].argmin(axis=1)
    return reported[np.arange(len(reported)), best]


def right_of_type(validation, test, n_epochs):
    return at_best(validation, test, n_epochs).mean()


def comparing(
    of_type=right_of_type,
    limit=within_budget,
    unit=lambda error, divided_by: error * divided_by,
    winner=lambda errors, sizes: winner_among(errors, sizes == sizes.min()),
):
    """An answer in which one step or several are not as they should be.

    of_type : (validation, test, epochs) -> error of one type
    limit : (updates, number of epochs) -> epochs that each type may have
    unit : (errors, divided_by) -> errors
    winner : (errors, code sizes) -> position
    """

    def answer(validation, test, divided_by, updates, code_sizes):
        limits = limit(updates, validation.shape[2])
        types = zip(validation, test, limits, strict=True)
        errors = unit(np.array([of_type(*one) for one in types]), divided_by)
        return errors, winner(errors, code_sizes)

    return answer


def all_epochs(updates, n_epochs):
    return np.full(len(updates), n_epochs)


def one_epoch_for_all(validation, test, n_epochs):
    return test[:, validation.mean(axis=0)[:n_epochs].argmin()].mean()


def as_printed(error, divided_by):
    return error


UNITS = (
    "the errors are in two units: an error that was divided by the number of pixels is to be "
    "multiplied by it again"
)

FAIR_ERRORS = Exercise(
    name="fair_errors",
    cases=curve_cases,
    oracle=lambda validation, test, divided_by, updates, code_sizes: fair_by_masks(
        validation, test, divided_by, updates, code_sizes
    ),
    second_answer=fair_loop,
    mistakes=(
        (
            comparing(
                lambda validation, test, n: test[:, :n].min(),
                all_epochs,
                as_printed,
                lambda errors, sizes: errors.argmin(),
            ),
            "this is the report's table and the report's winner: each type but one has an "
            "advantage there; how many can you name?",
        ),
        (
            comparing(lambda validation, test, n: at_best(test, test, n).mean()),
            "the epoch is chosen on the test errors: choose it on the validation errors",
        ),
        (
            comparing(lambda validation, test, n: at_best(validation, validation, n).mean()),
            "this reports the validation error, which took part in the choice of the epoch: report "
            "the test error of that epoch",
        ),
        (
            comparing(limit=all_epochs),
            "some types have more updates than others: nobody may have more than the type with the "
            "fewest had in all",
        ),
        (
            comparing(
                limit=lambda updates, n: np.full(len(updates), updates.min() * n // updates.max())
            ),
            "the same number of epochs is not the same number of updates: who has few updates in "
            "an epoch may have more epochs",
        ),
        (
            comparing(limit=lambda updates, n: -(-updates.min() * n // updates)),
            "one epoch too many for some types: an epoch that begins within the budget but ends "
            "beyond it does not count, round down",
        ),
        (
            comparing(limit=lambda updates, n: np.maximum(within_budget(updates, n) - 1, 1)),
            "one epoch too few: entry 0 is the error after one epoch, so the first k entries are "
            "k epochs",
        ),
        (
            comparing(limit=lambda updates, n: np.minimum(within_budget(updates, n) + 1, n)),
            "one epoch too many: entry 0 is the error after one epoch, so the first k entries are "
            "k epochs",
        ),
        (
            comparing(lambda validation, test, n: at_best(validation, test, n).min()),
            "this is the luckiest training of each type: take the mean over its trainings",
        ),
        (
            comparing(
                lambda validation, test, n: test[
                    np.unravel_index(validation[:, :n].argmin(), validation[:, :n].shape)
                ]
            ),
            "this keeps the training with the smallest validation error of each type: take the "
            "mean over all its trainings",
        ),
        (
            comparing(lambda validation, test, n: test[:, :n].min()),
            "the smallest of all test errors is the luckiest epoch of the luckiest training: "
            "choose each epoch on the validation errors, and take the mean over the trainings",
        ),
        (
            comparing(lambda validation, test, n: np.median(at_best(validation, test, n))),
            "this is the median over the trainings: take their mean",
        ),
        (
            comparing(one_epoch_for_all),
            "this takes one epoch for all trainings of a type: each training stops at its own best "
            "epoch",
        ),
        (
            comparing(lambda validation, test, n: test[:, n - 1].mean()),
            "this is the last epoch within the budget: take the one with the smallest validation "
            "error",
        ),
        (
            comparing(lambda validation, test, n: test[:, :n].mean()),
            "this is the mean over the epochs: take the one with the smallest validation error",
        ),
        (comparing(unit=as_printed), UNITS),
        (comparing(unit=lambda error, divided_by: error / divided_by), UNITS),
        (
            comparing(unit=lambda error, divided_by: error * divided_by / divided_by.max()),
            "these are means over the pixels: asked for are sums",
        ),
        (
            comparing(winner=lambda errors, sizes: errors.argmin()),
            "the errors are right, but the winner has a larger code than others: look among the "
            "smallest codes only",
        ),
        (
            comparing(winner=lambda errors, sizes: winner_among(errors, sizes < sizes.max())),
            "the errors are right, but the winner is not: leave out each code that is larger than "
            "the smallest, and only those",
        ),
        (
            comparing(winner=lambda errors, sizes: (errors * sizes).argmin()),
            "the errors are right, but a larger code cannot be made up for by a factor: look among "
            "the smallest codes only",
        ),
        (
            comparing(winner=lambda errors, sizes: errors[sizes == sizes.min()].min()),
            "the errors are right; the second value is the winner's error: asked for is its "
            "position",
        ),
        (
            comparing(winner=lambda errors, sizes: winner_among(-errors, sizes == sizes.min())),
            "the errors are right, but this is the loser: the winner has the smallest error",
        ),
        (
            comparing(winner=lambda errors, sizes: 1 + winner_among(errors, sizes == sizes.min())),
            "the errors are right; the position counts from 0",
        ),
    ),
    hints=(
        "Go through the report's columns and its cell: code, updates, unit, and how one error is "
        "made of five trainings of forty epochs. Who gains by each?",
        "The budget is updates.min() times the number of epochs. Type i may have the first "
        "budget // updates[i] entries. Within them take the position of the smallest validation "
        "error for each training, and the test error there.",
        "For type i: best = validation[i, :, :n].argmin(axis=1), one position for each training; "
        "errors[i] is the mean of test[i, training, best[training]], times divided_by[i]. For the "
        "winner, put np.inf where code_sizes > code_sizes.min(), then argmin.",
    ),
)


def table_cases(rng):
    """The report's, one with equal rows, then coarse numbers, which are equal now and then."""
    cases = [
        (
            np.array([[0.5, 0.4], [0.7, 0.5], [0.8, 0.45], [1.0, 0.8], [1.1, 0.8], [0.5, 0.35]]),
            np.array([False, True]),
        ),
        (
            np.array([[2.0, 1, 3], [1, 2, 2], [2, 1, 3], [2, 2, 2], [1.5, 1.5, 2.5], [3, 1, 2]]),
            np.array([False, False, True]),
        ),
    ]
    for n_types, n_measures in ((7, 2), (9, 3), (10, 4)):
        table = rng.integers(0, 6, (n_types, n_measures)) / 2
        table[-1] = table[0]
        cases.append((table, rng.permutation(n_measures) % 2 == 0))
    return cases


def costs(table, higher_is_better):
    return np.where(higher_is_better, -table, table)


def unbeaten_by_ranks(table, higher_is_better):
    """Sorted by the sum of ranks, who beats a type stands before it, and an unbeaten one does."""
    ranks = np.stack([np.unique(c, return_inverse=True)[1].ravel() for c in costs_of(table, higher_is_better)])
    kept, unbeaten = [], np.zeros(len(table), dtype=bool)
    for i in np.argsort(ranks.sum(axis=0), kind="stable"):
        row = tuple(ranks[:, i])
        unbeaten[i] = not any(
            other != row and all(map(int.__le__, map(int, other), map(int, row))) for other in kept
        )
        if unbeaten[i]:
            kept.append(row)
    return unbeaten
