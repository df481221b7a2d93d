"""Right and wrong answers to the exercises of lecture 07."""

from fractions import Fraction
from itertools import combinations

import numpy as np
from answers.collected import right, wrong


@right("components_needed")
def by_sklearn(x, max_error):
    from sklearn.decomposition import PCA

    values = PCA().fit(x).explained_variance_ * (len(x) - 1) / len(x)
    errors = [values[k:].sum() for k in range(len(values) + 1)]
    k = next(k for k, error in enumerate(errors) if error <= max_error)
    return k, errors[k]


@right("components_needed")
def by_singular_values(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / len(x)
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return [k, errors[k]]


@wrong("components_needed", "UFuncOutputCastingError|UFuncTypeError|Cannot cast|raised")
def centred_in_place(x, max_error):
    x -= x.mean(axis=0)
    return by_singular_values(x, max_error)


@wrong("components_needed", "divides by n - 1")
def by_np_cov(x, max_error):
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(x.T)))[::-1]
    errors = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed", "np.atleast_2d makes it a matrix")
def by_np_cov_of_one_column(x, max_error):
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    errors = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed", "not centred")
def without_centring(x, max_error):
    s = np.linalg.svd(x, compute_uv=False) ** 2 / len(x)
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k]


@wrong("components_needed")
def limit_as_answer(x, max_error):
    return by_singular_values(x, max_error)[0], max_error


@wrong("components_needed", "raised IndexError")
def never_all(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / len(x)
    errors = np.cumsum(s[::-1])[::-1][1:]
    k = np.flatnonzero(errors <= max_error)[0]
    return k + 1, errors[k]


@wrong("components_needed")
def as_standard_errors(x, max_error):
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) / np.sqrt(len(x))
    errors = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    k = np.flatnonzero(errors <= max_error)[0]
    return k, errors[k] ** 2


@wrong("components_needed")
def rounded_error(x, max_error):
    k, error = by_singular_values(x, max_error)
    return k, round(float(error), 6)


@wrong("components_needed")
def standardised(x, max_error):
    return by_singular_values((x - x.mean(0)) / x.std(0), max_error)


@right("rand_index")
def by_combinations(a, b):
    same = [(a[i] == a[j]) == (b[i] == b[j]) for i, j in combinations(range(len(a)), 2)]
    return Fraction(sum(map(bool, same)), len(same))


@right("rand_index")
def by_sklearn_rand(a, b):
    from sklearn.metrics import rand_score

    return rand_score(a, b)


@right("rand_index")
def by_matrices(a, b):
    alike = (a[:, None] == a) == (b[:, None] == b)
    n = len(a)
    return (alike.sum() - n) / (n * (n - 1))


@wrong("rand_index", "does not pair with itself")
def with_the_diagonal(a, b):
    return np.mean((a[:, None] == a) == (b[:, None] == b))


@wrong("rand_index", "a number is only a name")
def by_numbers(a, b):
    return np.mean(a == b)


@wrong("rand_index")
def by_dot_products(a, b):
    one = np.eye(100)[a % 100]
    two = np.eye(100)[b % 100]
    return np.mean((one @ one.T == two @ two.T)[np.triu_indices(len(a), 1)])


@wrong("rand_index")
def by_neighbours(a, b):
    return np.mean((a[1:] == a[:-1]) == (b[1:] == b[:-1]))


@wrong("rand_index", "adjusted index")
def by_adjusted(a, b):
    from sklearn.metrics import adjusted_rand_score

    return adjusted_rand_score(a, b)


@wrong("rand_index", "apart in both")
def jaccard(a, b):
    i, j = np.triu_indices(len(a), 1)
    both, one = (a[i] == a[j]) & (b[i] == b[j]), (a[i] == a[j]) | (b[i] == b[j])
    return both.sum() / max(one.sum(), 1)


@wrong("rand_index")
def percent(a, b):
    return 100 * by_matrices(a, b)


@wrong("rand_index")
def below_the_diagonal_of_zeros(a, b):
    alike = np.triu((a[:, None] == a) == (b[:, None] == b), 1)
    return alike.mean()
