"""Exercises on what makes a comparison fair, and on what can be said when no type is best."""

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from lecture_utils.autoencoders import Autoencoder, mlp, reconstruction_loss
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    Trained,
    new_digits,
    pca_of,
    squared_error,
    tensor,
    why_no_better,
)
from lecture_utils.exercises.exercise import Exercise
from lecture_utils.training import fit


def curve_cases(rng):
    """By hand, then trainings in which each column of the report hides an advantage.

    The type with the fewest updates has the smallest code. So it does not matter whether the budget
    is taken over all types or over those with the smallest code.
    """
    by_hand = (
        np.array([[[0.06, 0.04, 0.02, 0.01]], [[5.0, 3, 4, 6]]]),
        np.array([[[0.07, 0.05, 0.03, 0.02]], [[6.0, 4, 3, 7]]]),
        np.array([100, 1]),
        np.array([20, 10]),
        np.array([16, 16]),
    )
    not_whole = (*by_hand[:3], np.array([15, 10]), by_hand[4])  # 2.67 epochs are two
    shapes = (4, 2, 6), (5, 4, 9), (6, 3, 12)
    return [by_hand, not_whole, three_winners(), *(curves(rng, *shape) for shape in shapes)]


def three_winners():
    """One type wins by the mean of the trainings, others by their median, luck, or validation."""
    test = np.array([[3.0, 4, 8], [4, 5, 5], [1, 9, 9], [4.5, 5, 6], [0.5, 0.5, 0.5]])
    validation = test + np.array([0, 0, 0, -2, 0])[:, None]
    one_epoch = np.ones(5, dtype=int)
    return (
        validation[..., None],
        test[..., None],
        one_epoch,
        10 * one_epoch,
        np.array([8] * 4 + [9]),
    )


def curves(rng, n_types, n_trainings, n_epochs):
    updates = np.array([30, *rng.integers(13, 31, n_types - 1)])
    updates[rng.integers(1, n_types - 1)] = 12
    code_sizes = np.full(n_types, rng.integers(4, 17))
    larger = [0, -1]
    code_sizes[larger] += 4, 24  # and so better than the others, below
    divided_by = np.where(np.arange(n_types) % 2, 64, 1)
    epoch = np.arange(1, n_epochs + 1)
    level = 1 + 3 * np.exp(-epoch * updates[:, None] / (8 * n_epochs))
    level[larger] *= [[0.4], [0.2]]
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
            comparing(limit=lambda updates, n: np.rint(updates.min() * n / updates).astype(int)),
            "the number of epochs is rounded to the nearest: an epoch that does not fit into the "
            "budget as a whole does not count, round down",
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
            "these are means over the pixels; the exercise asks for sums",
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
            comparing(winner=lambda errors, sizes: errors[sizes == sizes.min()].min()),
            "the errors are right; the second value is the winner's error; the exercise asks for "
            "its position",
        ),
        (
            comparing(winner=lambda errors, sizes: errors[sizes == sizes.min()].argmin()),
            "the errors are right; the second value is the winner's position among the smallest "
            "codes; the exercise asks for its position among all types",
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
    """The report's, equal rows, one best in all, then coarse numbers, often equal."""
    cases = [
        (
            np.array([[0.5, 0.4], [0.7, 0.5], [0.8, 0.45], [1.0, 0.8], [1.1, 0.8], [0.5, 0.35]]),
            np.array([False, True]),
        ),
        (
            np.array([[2.0, 1, 3], [1, 2, 2], [2, 1, 3], [2, 2, 2], [1.6, 1.6, 2.4], [3, 1, 4]]),
            np.array([False, False, True]),
        ),
        (np.array([[2.0, 2], [1, 2], [2, 3]]), np.array([False, False])),
        (np.array([[1, 3]]), np.array([True, False])),
        (  # below zero, and zero: a gain may be
            np.array([[-1, 2.0], [1, 2], [0, -1], [-2, -1], [-2, 3], [0, 0]]),
            np.array([True, False]),
        ),
        (1e-12 * np.array([[1.0, 2], [2, 1], [3, 3], [1, 3]]), np.array([False, False])),
    ]
    for n_types, n_measures in ((7, 2), (9, 3), (10, 4)):
        table = rng.integers(0, 6, (n_types, n_measures)) / 2
        table[-1] = table[0]
        cases.append((table, rng.permutation(n_measures) % 2 == 0))
    return cases


def costs(table, higher_is_better):
    """The table with the sign of some columns flipped, so that less is better in all."""
    return np.where(higher_is_better, -table, table)


def unbeaten_in_order(table, higher_is_better):
    """In lexicographic order who beats a type stands before it, so one pass is enough."""
    rows = costs(table, higher_is_better)
    kept, answer = [], np.zeros(len(rows), dtype=bool)
    for i in np.lexsort(rows.T[::-1]):
        answer[i] = all(np.any(rows[i] < row) or np.array_equal(rows[i], row) for row in kept)
        if answer[i]:
            kept.append(rows[i])
    return answer


def unbeaten_loop(table, higher_is_better):
    def beats(a, b):
        gains = [x - y if up else y - x for x, y, up in zip(a, b, higher_is_better, strict=True)]
        return min(gains) >= 0 and max(gains) > 0

    return [not any(beats(other, one) for other in table) for one in table]


def no_worse_and_better(rows):
    """Whether i is at least as good as j everywhere, and better somewhere; both (types, types)."""
    first, second = rows[:, None], rows[None]
    return (first <= second).all(axis=2), (first < second).any(axis=2)


def beats(rows):
    no_worse, better = no_worse_and_better(rows)
    return no_worse & better


def unbeaten_by(rule):
    """Turn another rule for who beats whom, given the costs, into an answer."""
    return lambda table, higher_is_better: ~rule(costs(table, higher_is_better)).any(axis=0)


def from_costs(formula):
    """Turn a formula in the costs into an answer."""
    return lambda table, higher_is_better: formula(costs(table, higher_is_better))


def better_everywhere(rows):
    return (rows[:, None] < rows[None]).all(axis=2)


def equals_beat(rows):
    """As the right rule, but two equal rows beat each other."""
    no_worse, _ = no_worse_and_better(rows)
    return no_worse & ~np.eye(len(rows), dtype=bool)


def better_in_most(rows):
    wins = (rows[:, None] < rows[None]).sum(axis=2)
    return wins > wins.T


def weighted_winners(rows):
    """Who wins when the measures are weighed and added up, for some of very many weights."""
    weights = np.random.default_rng(0).dirichlet(np.ones(rows.shape[1]), 2_000)
    sums = weights @ rows.T
    return np.isclose(sums, sums.min(axis=1, keepdims=True), rtol=0, atol=1e-12).any(axis=0)


def weighed_as_in_the_report(table, higher_is_better):
    """Who wins for some weight, by the report's own formula for its two measures."""
    weights = np.linspace(0, 1, 1_001)[1:-1, None]
    sums = weights * table[:, 0] - (1 - weights) * table[:, 1]
    return np.isclose(sums, sums.min(axis=1, keepdims=True), rtol=0, atol=1e-12).any(axis=0)


def best_sum_of_ranks(rows):
    total = rankdata(rows, axis=0).sum(axis=1)
    return total == total.min()


FROM_TABLE = "`higher_is_better` says which way is up in each column"

UNBEATEN = Exercise(
    name="unbeaten",
    cases=table_cases,
    oracle=lambda table, higher_is_better: unbeaten_in_order(table, higher_is_better),
    second_answer=unbeaten_loop,
    mistakes=(
        (
            from_costs(weighted_winners),
            "these are the types that win for some weights, the report's: a compromise may win for "
            "none and still be beaten by no other type; compare type with type",
        ),
        (
            weighed_as_in_the_report,
            "this is the report's own formula: a compromise may win for no weight and still be "
            "beaten by no other type; compare type with type",
        ),
        (
            from_costs(lambda rows: (rows == rows.min(axis=0)).any(axis=1)),
            "these are the types that are best in some column: a compromise may be best in none, "
            "and who is best in one may be beaten by another that is as good there",
        ),
        (
            unbeaten_by(better_everywhere),
            "equal in one measure and better in another is enough to beat: this asks to be better "
            "in all",
        ),
        (
            unbeaten_by(equals_beat),
            "two types that are equal in all measures do not beat each other: the winner must be "
            "better in at least one",
        ),
        (
            unbeaten_by(lambda rows: no_worse_and_better(rows)[0]),
            "here each type beats itself: the winner must be better in at least one measure",
        ),
        (
            unbeaten_by(lambda rows: no_worse_and_better(rows)[1]),
            "better in one measure is not enough to beat: the winner must not be worse in any, or "
            "only a type that is best in every column is unbeaten",
        ),
        (
            unbeaten_by(better_in_most),
            "better in more measures than worse is not enough to beat: the winner must not be "
            "worse in any",
        ),
        (
            from_costs(lambda rows: ~beats(rows[:, :2]).any(axis=0)),
            "only the first two columns are compared: there may be more",
        ),
        (
            lambda table, higher_is_better: ~beats(table).any(axis=0),
            f"this takes less for better in all columns: {FROM_TABLE}",
        ),
        (
            lambda table, higher_is_better: ~beats(-table).any(axis=0),
            f"this takes more for better in all columns: {FROM_TABLE}",
        ),
        (
            lambda table, higher_is_better: (
                ~beats(np.where(higher_is_better, 1 / table, table)).any(axis=0)
            ),
            "1/x turns a column around only while all its numbers have the same sign: a measure "
            "may be negative, so change the sign instead",
        ),
        (
            from_costs(lambda rows: beats(rows).any(axis=0)),
            "these are the beaten ones; the exercise asks for the others",
        ),
        (
            from_costs(lambda rows: beats(rows).any(axis=1)),
            "these are the types that beat another one: who beats somebody may be beaten, and who "
            "beats nobody may be unbeaten",
        ),
        (
            from_costs(lambda rows: ~beats(rows).any(axis=1)),
            "these are the types that beat no other; the exercise asks for those that no other "
            "beats; are the axes swapped, or better and worse?",
        ),
        (
            from_costs(best_sum_of_ranks),
            "this adds up ranks, which is one way of weighing the measures; the exercise asks "
            "for all types that no other beats, whatever the weights",
        ),
        (
            from_costs(lambda rows: beats(rows).sum(axis=0)),
            "this is how many types beat each one; the exercise asks whether there is none",
        ),
        (
            from_costs(lambda rows: np.flatnonzero(~beats(rows).any(axis=0))),
            "these are the positions; the exercise asks for True or False for each type",
        ),
    ),
    hints=(
        "Compare type with type. When can a type be left out, whatever a user wants?",
        "Flip the sign of the columns in which more is better; then less is better in all. Type i "
        "beats type j when row i is nowhere larger and somewhere smaller.",
        "With a = rows[:, None] and b = rows[None], (a <= b).all(axis=2) & (a < b).any(axis=2) "
        "says whether i beats j. No other beats j when column j of that holds no True.",
    ),
)

BUDGET = 1_000  # updates of the weights
NOISE = 0.25


def both_trial(build, rng):
    """Eight numbers, two measures, one budget of updates, which the check counts."""
    digits = new_digits(rng)
    updates = []
    counting = register_optimizer_step_post_hook(lambda *_: updates.append(1))
    try:
        returned = build(tensor(digits.x_train))
    finally:
        counting.remove()
    # A function that runs in another process counts there.
    n_updates = getattr(build, "updates", len(updates))
    trained = Trained(returned, digits, 8)
    noisy = digits.x_test + NOISE * rng.normal(size=digits.x_test.shape)
    cleaned = trained.decode(trained.encode(noisy))
    errors = trained.error, squared_error(digits.x_test, cleaned)
    pca = [squared_error(digits.x_test, pca_of(digits, 8, x)) for x in (digits.x_test, noisy)]
    numbers = f"clean {errors[0]:.2f} (PCA {pca[0]:.2f}), noisy {errors[1]:.2f} (PCA {pca[1]:.2f})"
    rows = [("with noise", noisy), ("yours", cleaned)]
    return Outcome(
        both_fault(trained, errors, pca, n_updates, numbers), lambda: trained.draw(numbers, rows)
    )


def both_fault(trained, errors, pca, updates, numbers):
    if updates > BUDGET:
        return f"{updates} updates of the weights: the budget is {BUDGET}, an epoch of `fit` has 12"
    clean, noisy = (0.75 * error for error in pca)
    if errors[0] > clean:
        why = why_no_better(trained, clean)
        return f"{numbers}: on clean digits at most {clean:.2f} will do: {why}"
    if errors[1] > noisy:
        return (
            f"{numbers}: good on clean digits, but on noisy ones at most {noisy:.2f} will do: it "
            "has never seen noise, or too little; which type of autoencoder has?"
        )
    return None


def both(noise=NOISE, epochs=80, hidden=128, rate=1e-2, target=lambda clean, noisy: clean):
    """An answer that trains a deep autoencoder on noisy digits."""

    def build(x_train):
        decoder = nn.Sequential(mlp(8, hidden, 64), nn.Sigmoid())
        model = Autoencoder(mlp(64, hidden, 8), decoder)

        def loss(model, x):
            noisy = x + noise * torch.randn_like(x)
            return ((model(noisy) - target(x, noisy)) ** 2).sum(1).mean()

        fit(model, loss, x_train, epochs, max_lr=rate)
        return model

    return build


def both_by_hand(x_train):
    """Every batch holds clean and noisy digits; a loop of one's own, tanh in the encoder."""
    encoder = nn.Sequential(nn.Linear(64, 160), nn.Tanh(), nn.Linear(160, 8))
    decoder = nn.Sequential(nn.Linear(8, 160), nn.ReLU(), nn.Linear(160, 64))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=6e-3)
    steps = 900
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x = x_train[torch.randint(len(x_train), (192,))]
        strength = 0.3 * torch.rand(len(x), 1)
        x_hat = decoder(encoder(x + strength * torch.randn_like(x)))
        optimizer.zero_grad()
        nn.functional.mse_loss(x_hat, x).backward()
        optimizer.step()
        schedule.step()
    return encoder, decoder


def only_linear(x_train):
    model = Autoencoder(nn.Linear(64, 8), nn.Linear(8, 64))
    fit(model, reconstruction_loss, x_train, 80, max_lr=1e-2)
    return model


GOOD_AT_BOTH = Building(
    name="good_at_both",
    trial=both_trial,
    parameters=["x_train"],
    second_answer=both_by_hand,
    mistakes=(
        (both(noise=0), "has never seen noise"),
        (both(epochs=100), "1200 updates of the weights: the budget is 1000"),
        (both(epochs=3), "train longer|mean image"),
        (both(noise=1.0), "on clean digits"),
        (only_linear, "the decoder is linear"),
        (lambda x_train: Autoencoder(mlp(64, 16), mlp(16, 64)), r"asks for \(360, 8\)"),
        (lambda x_train: None, "`return` missing"),
    ),
    hints=(
        "Which of the lecture's types has to be good at the second measure, and what does it cost "
        "at the first?",
        "Train a deep autoencoder with a code of 8 on noisy digits, with the clean ones as the "
        "target. The strength of the noise is yours to choose; an epoch of `fit` has 12 updates.",
        "model = Autoencoder(mlp(64, 128, 8), nn.Sequential(mlp(8, 128, 64), nn.Sigmoid())), the "
        "loss with x + 0.25 * torch.randn_like(x) going in and x as the target, 80 epochs, "
        "max_lr=1e-2.",
    ),
)

EXERCISES = (FAIR_ERRORS, UNBEATEN, GOOD_AT_BOTH)
