"""Exercises on what PCA loses, and on comparing two divisions into groups."""

from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from lecture_utils.exercises.exercise import Exercise


def components_needed_cases(rng):
    """Limits well between two errors, then such as lie only just below or above one."""
    rectangle = np.array([[1.0, 1], [5, 1], [1, 3], [5, 3]])  # eigenvalues 4 and 1
    cases = [(rectangle, limit) for limit in (2.0, 4.5, 6.0, 0.5)]
    cases += [(rectangle.astype(int), 1.5), (1e-3 * rectangle, 2e-6), (1e3 * rectangle, 2e6)]
    cases += [(rectangle * (1, 2) + 100, 5.0)]  # equal eigenvalues, far from zero
    cases += [(np.array([[1.0], [2], [6]]), 1.0), (np.outer([1.0, 4, 2, 9], [1, 2, 0]), 1e-9)]
    for n, d, k, side in ((20, 5, 1, -1), (30, 6, 3, 1)):
        x = rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d) + rng.uniform(2, 4, d)
        cases.append((x, float(dropped(eigenvalues(x))[k] * (1 + side / (3 * n)))))
    return cases


def eigenvalues(x, mean=None):
    """Those of the covariance matrix, largest first; about another mean they are wrong ones."""
    x = x - (x.mean(axis=0) if mean is None else mean)
    return np.linalg.eigvalsh(x.T @ x / len(x))[::-1]


def dropped(values):
    """The sum of all but the first k values, for k = 0, 1, 2, ..."""
    return np.append(np.cumsum(values[::-1])[::-1], 0)


def first_within(errors, max_error):
    k = int(np.argmax(errors <= max_error))
    return k, errors[k]


def needed_by_reconstruction(x, max_error):
    u, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    gaps = [x - x.mean(axis=0) - (u[:, :k] * s[:k]) @ vt[:k] for k in range(len(s) + 1)]
    return first_within(np.array([np.mean(np.sum(gap**2, axis=1)) for gap in gaps]), max_error)


def needed_loop(x, max_error):
    """One component after the other is taken out of the data."""
    rest, k = x - x.mean(axis=0), 0
    while (error := sum(float(row @ row) for row in rest) / len(x)) > max_error:
        direction = np.linalg.svd(rest)[2][0]
        rest = rest - np.outer(rest @ direction, direction)
        k += 1
    return k, error


def needed_by(errors_of):
    """Turn a formula for the errors of all k, in x, into an answer."""
    return lambda x, max_error: first_within(errors_of(x), max_error)


def beside(step):
    """The number of components that is off by `step`, and its error."""

    def answer(x, max_error):
        k = needed_by_reconstruction(x, max_error)[0]
        k = min(max(k + step, 0), x.shape[1])
        return k, dropped(eigenvalues(x))[k]

    return answer


def never_none(x, max_error):
    k = max(needed_by_reconstruction(x, max_error)[0], 1)
    return k, dropped(eigenvalues(x))[k]


def needed_by_single(x, max_error):
    values = eigenvalues(x)
    k = int((values > max_error).sum())
    return k, dropped(values)[k]


def limit_as_share(x, max_error):
    errors = dropped(eigenvalues(x))
    return first_within(errors, max_error * errors[0])


def kept_beside_right_k(x, max_error):
    k, error = needed_by_reconstruction(x, max_error)
    return k, eigenvalues(x).sum() - error


NOT_KEPT = "you added up the eigenvalues that are kept: the error is made of the dropped ones"

COMPONENTS_NEEDED = Exercise(
    name="components_needed",
    cases=components_needed_cases,
    oracle=lambda x, max_error: needed_by_reconstruction(x, max_error),
    second_answer=needed_loop,
    mistakes=(
        (kept_beside_right_k, NOT_KEPT),
        (needed_by(lambda x: np.append(0, np.cumsum(eigenvalues(x)))), NOT_KEPT),
        (
            needed_by(lambda x: dropped(eigenvalues(x, mean=0))),
            "the data are not centred: subtract the mean of each column first",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x, mean=x.mean()))),
            "you subtracted one number everywhere: each column has a mean of its own, axis=0",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x)) * len(x) / (len(x) - 1)),
            "this divides by n - 1, as np.cov does: the error is a mean, divide by n",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x)) / x.shape[1]),
            "this is the error per pixel: sum over the pixels",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x)) * len(x)),
            "this is the error of all examples together: divide by their number",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x)[::-1])),
            "this drops the largest eigenvalues: eigh and eigvalsh give the smallest one first",
        ),
        (
            needed_by(lambda x: dropped(np.sqrt(eigenvalues(x)))),
            "these are roots of the eigenvalues: squared errors add, so leave the root out",
        ),
        (
            needed_by_single,
            "you compared single eigenvalues with max_error: all dropped ones together must stay "
            "within it",
        ),
        (
            needed_by(lambda x: dropped(eigenvalues(x)) / eigenvalues(x).sum()),
            "this is the share of the variance that is lost; the exercise asks for the error "
            "itself",
        ),
        (
            limit_as_share,
            "max_error is no share of the variance: it is a squared error, like the error itself",
        ),
        (beside(-1), "one component too few: with these the error is still above max_error"),
        (beside(1), "one component too many: one fewer stays within max_error, too"),
        (never_none, "sometimes no component at all will do: the mean alone is near enough"),
    ),
    hints=(
        "You know the error for each number of components without reconstructing anything: it is "
        "a sum of eigenvalues. Which ones?",
        "np.linalg.eigvalsh(cov) gives the eigenvalues, smallest first. Those that are dropped "
        "stand at the beginning.",
        "With k of d components the error is eigvalsh(cov)[: d - k].sum(). Try k = 0, 1, 2, ... "
        "and stop at the first one within max_error.",
    ),
    absolute=1e-12,
    discovery="load_digits().x_train: allow 50, 10 and 1 per cent of its total variance. The last "
    "tenth needs about as many components as the nine before.",
)


def rand_index_cases(rng):
    small = [
        ([0, 0, 1, 1], [1, 1, 0, 2]),
        ([0, 0, 0, 1, 1, 2], [2, 2, 2, 0, 0, 1]),
        ([0, 0, 0, 0, 1, 1], [3, 3, 5, 8, 3, 3]),
        ([4, 4], [7, 7]),  # alike
        ([0, 1], [3, 3]),  # nothing alike
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([10**9, 10**9, 5, 5, 7], [7, 7, 7, 10**9, 0]),
        ([0, 1, 2, 0, 1, 2], [2, 0, 1, 2, 0, 1]),
    ]
    cases = [(np.array(a), np.array(b)) for a, b in small]
    for n, groups in ((15, 3), (25, 5), (40, 10)):
        a = rng.permutation(np.arange(n) % groups)
        b = np.where(rng.uniform(size=n) < 0.3, rng.integers(0, groups + 2, n), (a + 1) % groups)
        cases.append((a, b))
    return cases


def table(a, b):
    """How many examples are in group i of a and in group j of b."""
    return (np.unique(a)[:, None] == a).astype(float) @ (b[:, None] == np.unique(b))


def n_pairs(counts):
    return np.sum(counts * (counts - 1)) / 2


def pair_counts(a, b):
    """Pairs that are together in both, in a, in b, and all pairs."""
    counts = table(a, b)
    sides = (counts, counts.sum(axis=1), counts.sum(axis=0), counts.sum())
    return tuple(n_pairs(side) for side in sides)


def rand_by_table(both, in_a, in_b, every):
    return (every + 2 * both - in_a - in_b) / every


def rand_loop(a, b):
    pairs = list(combinations(zip(a, b, strict=True), 2))
    return sum((a1 == a2) == (b1 == b2) for (a1, b1), (a2, b2) in pairs) / len(pairs)


def of_pairs(formula):
    """Turn a formula in the four counts of pairs into an answer."""
    return lambda a, b: formula(*pair_counts(a, b))


def adjusted(both, in_a, in_b, every):
    by_chance = in_a * in_b / every
    return (both - by_chance) / ((in_a + in_b) / 2 - by_chance)


def adjusted_or_one(*counts):
    """As scikit-learn has it: 1 where chance alone gives all."""
    index = adjusted(*counts)
    return 1.0 if np.isnan(index) else index


def accuracy_after_matching(a, b):
    counts = table(a, b)
    return counts[linear_sum_assignment(-counts)].sum() / len(a)


def with_itself(a, b):
    return ((a[:, None] == a) == (b[:, None] == b)).mean()


def by_difference(a, b):
    i, j = np.triu_indices(len(a), 1)
    return (a[i] - a[j] == b[i] - b[j]).mean()


NOT_SHARED = "you left out the pairs that are apart in both: there, too, the groupings agree"

RAND_INDEX = Exercise(
    name="rand_index",
    cases=rand_index_cases,
    oracle=lambda a, b: rand_by_table(*pair_counts(a, b)),
    second_answer=rand_loop,
    mistakes=(
        (
            lambda a, b: np.mean(a == b),
            "this compares the numbers of the groups, as the report does: a number is only a name",
        ),
        (
            accuracy_after_matching,
            "this renumbers the groups so that they match best; the exercise asks for a share of "
            "pairs",
        ),
        (
            lambda a, b: table(a, b).max(axis=1).sum() / len(a),
            "this is how pure the groups of a are; the exercise asks for a share of pairs",
        ),
        (
            lambda a, b: table(a, b).max(axis=0).sum() / len(a),
            "this is how pure the groups of b are; the exercise asks for a share of pairs",
        ),
        (with_itself, "an example does not pair with itself: leave out i = j"),
        (of_pairs(lambda both, in_a, in_b, every: both / every), NOT_SHARED),
        (
            of_pairs(lambda both, in_a, in_b, every: both / (in_a + in_b - both)),
            NOT_SHARED,
        ),
        (of_pairs(lambda both, in_a, in_b, every: both / in_a), NOT_SHARED),
        (of_pairs(lambda both, in_a, in_b, every: both / in_b), NOT_SHARED),
        (
            of_pairs(lambda both, in_a, in_b, every: (every + both - in_a - in_b) / every),
            "you left out the pairs that are together in both groupings",
        ),
        *(
            (
                of_pairs(index),
                "this is the adjusted index of the lecture; the exercise asks for the plain "
                "share of pairs",
            )
            for index in (adjusted, adjusted_or_one)
        ),
        (
            of_pairs(lambda *counts: 1 - rand_by_table(*counts)),
            "this is the share of pairs that the groupings treat differently: subtract it from 1",
        ),
        (
            of_pairs(lambda *counts: 2 * rand_by_table(*counts)),
            "each pair is counted twice, as (i, j) and as (j, i), but not in what you divide by",
        ),
        (
            of_pairs(lambda *counts: rand_by_table(*counts) / 2),
            "you divide by n(n - 1): there are half as many pairs",
        ),
        (
            of_pairs(lambda both, in_a, in_b, every: every + 2 * both - in_a - in_b),
            "this is the number of pairs: divide it by that of all pairs",
        ),
        (
            by_difference,
            "the numbers are not quantities: do not subtract them, ask whether they are equal",
        ),
    ),
    hints=(
        "Rename the groups of one grouping: 0 becomes 7, 1 becomes 3. What changes? What does not?",
        "For a pair i < j ask twice: together in a? together in b? Count the pairs with the same "
        "answer.",
        "a[:, None] == a is true where two examples are together in a; do the same for b. Compare "
        "both matrices, and take the entries above the diagonal: np.triu_indices(len(a), 1).",
    ),
    discovery="compare the labels with the same labels, shuffled. Why is the share not near zero?",
)

EXERCISES = (COMPONENTS_NEEDED, RAND_INDEX)
