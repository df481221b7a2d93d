"""Exercises on the angle between two spaces, and on a network that merely copies."""

import math

import numpy as np
import torch
from scipy.linalg import subspace_angles
from torch import nn

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


def angle_cases(rng):
    """By hand, then pairs of spaces with angles that are known, spanned by skew columns."""
    small = [
        ([[1], [0]], [[3], [3]]),
        ([[1, 0], [0, 1], [0, 0]], [[0, 2], [3, 0], [0, 0]]),
        ([[1, 0], [0, 1], [0, 0]], [[1, 0], [0, 0], [0, 1]]),
    ]
    cases = [(np.array(a, dtype=float), np.array(b, dtype=float)) for a, b in small]
    for d, k in ((5, 2), (9, 3)):
        basis = np.linalg.qr(rng.normal(size=(d, 2 * k)))[0]
        angles = np.deg2rad(rng.uniform(10, 80, k))
        turned = basis[:, :k] * np.cos(angles) + basis[:, k:] * np.sin(angles)
        cases.append((basis[:, :k] @ skew(rng, k), turned @ skew(rng, k)))
    a, b = cases[-1]
    cases += [(1e-9 * a, 1e6 * b), (np.array([[1], [0]]), np.array([[2], [-2]]))]
    # The last two: where all else is right, they tell that digits were lost.
    upright = np.array([[1.0], [0.0]])
    return [*cases, (upright, np.array([[1e-8], [1.0]])), (upright, np.array([[1.0], [1e-9]]))]


def skew(rng, k):
    """A random matrix that is far from singular and far from orthogonal."""
    return np.tril(rng.uniform(0.5, 1, (k, k))) * rng.uniform(1, 3, k)


def largest_angle_loop(a, b):
    """Gram-Schmidt; then the sine, from what of b is not in the space of a."""
    bases = []
    for matrix in (a, b):
        basis = []
        for column in matrix.T:
            for direction in 2 * basis:  # twice is enough
                column = column - (column @ direction) * direction
            basis.append(column / math.sqrt(column @ column))
        bases.append(np.array(basis).T)
    inside = bases[0].T @ bases[1]
    outside = bases[1] - bases[0] @ inside
    sine = np.sqrt(np.linalg.eigvalsh(outside.T @ outside)[-1])
    cosine = np.sqrt(np.linalg.eigvalsh(inside.T @ inside)[0].clip(0))
    return math.degrees(math.atan2(sine, cosine))


def singular_values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


def cosines_and_sines(a, b):
    """Of the principal angles, the smallest angle first."""
    q_a, q_b = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    inside = q_a.T @ q_b
    return singular_values(inside).clip(0, 1), singular_values(q_b - q_a @ inside)[::-1]


def cosines(a, b):
    return cosines_and_sines(a, b)[0]


def all_angles(a, b):
    """The principal angles in radians, the smallest first."""
    cosine, sine = cosines_and_sines(a, b)
    return np.arctan2(sine, cosine)


def both_sorted_downwards(a, b):
    """Angles from the largest sine and the largest cosine, and so on: wrong pairs."""
    cosine, sine = cosines_and_sines(a, b)
    return np.arctan2(sine[::-1], cosine)


def raw_cosines(a, b):
    """What stands in place of the cosines when no basis is made orthonormal."""
    return singular_values(a.T @ b)


def unit_columns(matrix):
    return matrix / np.linalg.norm(matrix, axis=0)


def column_cosines(a, b):
    return np.sum(unit_columns(a) * unit_columns(b), axis=0).clip(-1, 1)


def degrees(cosine):
    return np.rad2deg(np.arccos(cosine))


def whole_cosine(a, b):
    return (np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)).clip(-1, 1)


NO_SINGLE_COLUMNS = (
    "this compares the matrices column by column: other columns may span the same space"
)
NOT_ORTHONORMAL = (
    "the columns are not orthonormal: replace each matrix by a basis of its space that is, as from "
    "np.linalg.qr"
)
SMALLEST = "this is the smallest of the angles: the largest angle has the smallest cosine"

LARGEST_PRINCIPAL_ANGLE = Exercise(
    name="largest_principal_angle",
    cases=angle_cases,
    oracle=lambda a, b: np.rad2deg(subspace_angles(a, b).max()),
    second_answer=largest_angle_loop,
    mistakes=(
        (lambda a, b: degrees(column_cosines(a, b)).max(), NO_SINGLE_COLUMNS),
        (lambda a, b: degrees(abs(column_cosines(a, b))).max(), NO_SINGLE_COLUMNS),
        (lambda a, b: degrees(whole_cosine(a, b)), NO_SINGLE_COLUMNS),
        (lambda a, b: degrees(raw_cosines(a, b).min()), NOT_ORTHONORMAL),
        (lambda a, b: degrees(raw_cosines(a, b).min().clip(0, 1)), NOT_ORTHONORMAL),
        (
            lambda a, b: degrees(raw_cosines(unit_columns(a), unit_columns(b)).min().clip(0, 1)),
            "unit columns are not enough, they must be orthogonal to one another, too: "
            "np.linalg.qr gives such a basis",
        ),
        (lambda a, b: np.rad2deg(all_angles(a, b).min()), SMALLEST),
        (lambda a, b: degrees(cosines(a, b).max()), SMALLEST),
        (
            lambda a, b: np.rad2deg(both_sorted_downwards(a, b).max()),
            "both lists are sorted downwards: the largest sine belongs to the smallest cosine",
        ),
        (
            lambda a, b: degrees(cosines(a, b).min()),
            "right, but for nearly equal spaces all digits are lost: there the cosine is 1 to "
            "within rounding; use the sine",
        ),
        (
            lambda a, b: np.rad2deg(np.arcsin(cosines_and_sines(a, b)[1].max().clip(0, 1))),
            "right, but for nearly orthogonal spaces digits are lost: there the sine is 1 to "
            "within rounding; use the arctangent of sine and cosine",
        ),
        (
            lambda a, b: all_angles(a, b).max(),
            "this is in radians; the exercise asks for degrees",
        ),
        (
            lambda a, b: np.arccos(cosines(a, b).min()),
            "this is in radians; the exercise asks for degrees",
        ),
        (
            lambda a, b: np.rad2deg(all_angles(a, b).sum()),
            "this is the sum of the angles; the exercise asks for the largest",
        ),
        (
            lambda a, b: np.rad2deg(all_angles(a, b).mean()),
            "this is the mean of the angles; the exercise asks for the largest",
        ),
        (
            lambda a, b: np.rad2deg(all_angles(a, b)),
            "these are all the angles; the exercise asks for the largest",
        ),
        (
            lambda a, b: degrees(cosines(a, b).prod()),
            "this is from the product of all cosines: the largest angle has the smallest one",
        ),
        (lambda a, b: cosines(a, b).min(), "this is the cosine; the exercise asks for the angle"),
        (
            lambda a, b: np.sin(all_angles(a, b).max()),
            "this is the sine; the exercise asks for the angle",
        ),
        (
            lambda a, b: np.rad2deg(np.arcsin(cosines(a, b).min())),
            "this is the arcsine of a cosine: 90 degrees minus the angle",
        ),
        (
            lambda a, b: 0.0,
            "this is 0 for every pair: do your bases span the whole space? Those asked for are "
            "the spaces of the columns, as many directions as there are columns",
        ),
    ),
    hints=(
        "The angle between two unit vectors is easy. What must be true of a basis, so that it can "
        "take the place of a unit vector? And near zero degrees the cosine hardly changes: which "
        "function of the angle does?",
        "With q_a and q_b from np.linalg.qr, the singular values of q_a.T @ q_b are the cosines of "
        "the principal angles. The sines are those of q_b - q_a @ (q_a.T @ q_b): what of the "
        "second space is not in the first.",
        "The largest angle has the largest sine and the smallest cosine: np.arctan2(sine, cosine), "
        "which loses no digits anywhere, and then np.rad2deg.",
    ),
    tolerance=1e-10,  # eight decimals of a degree
)


def shrinking(x):
    return x / 2


def copying(x):
    return x


def linear_model(matrix, offset):
    return lambda x: offset + (x - offset) @ matrix


def bent_model(matrix, offset):
    return lambda x: np.tanh((x - offset) @ matrix) + offset


def uncopied_cases(rng):
    cases = [(shrinking, np.array([[0.0, 0], [2, 4]])), (copying, rng.uniform(0, 1, (5, 3)))]
    for make, n, d, k in (
        (linear_model, 30, 6, 2),
        (linear_model, 20, 5, 4),
        (bent_model, 40, 8, 3),
    ):
        basis = np.linalg.qr(rng.normal(size=(d, k)))[0]
        x = rng.uniform(0, 1, (n, d)) * rng.uniform(0.5, 2, d) + rng.uniform(0.2, 1, d)
        cases.append((make(basis @ basis.T, rng.uniform(0, 0.5, d)), x))
    small = 1e-6 * rng.uniform(0, 1, (9, 4)), np.array([[0, 3], [2, 4], [7, 5]])
    return [*cases, *((shrinking, x) for x in small)]


def uncopied_by_moments(model, x_other):
    """Both means of squares from plain moments: E[u^2], and E[x^2] - E[x]^2."""
    x_hat = model(x_other)
    error = np.einsum("ij,ij", x_other, x_other - 2 * x_hat) + np.einsum("ij,ij", x_hat, x_hat)
    total = x_other.sum(axis=0)
    return error / (np.einsum("ij,ij", x_other, x_other) - total @ total / len(x_other))


def uncopied_loop(model, x_other):
    mean = [sum(column) / len(x_other) for column in x_other.T]
    missed = spread = 0
    for row in x_other:
        [row_hat] = model(row[None])
        missed += sum((value - guess) ** 2 for value, guess in zip(row, row_hat, strict=True))
        spread += sum((value - centre) ** 2 for value, centre in zip(row, mean, strict=True))
    return missed / spread


def of_data(formula):
    """Turn a formula in x and its reconstruction into an answer."""
    return lambda model, x: formula(x, model(x))


def squares(x):
    return np.sum(x**2)


def spread(x):
    return squares(x - x.mean(axis=0))


def row_squares(x):
    return np.sum(x**2, axis=1)


def column_squares(x):
    return np.sum(x**2, axis=0)


UNDIVIDED = (
    "this is the plain error, which is large where the data vary much: divide it by their variance"
)

UNCOPIED_SHARE = Exercise(
    name="uncopied_share",
    cases=uncopied_cases,
    oracle=lambda model, x_other: uncopied_by_moments(model, x_other),
    second_answer=uncopied_loop,
    mistakes=(
        (of_data(lambda x, x_hat: squares(x - x_hat) / len(x)), UNDIVIDED),
        (of_data(lambda x, x_hat: squares(x - x_hat)), UNDIVIDED),
        (of_data(lambda x, x_hat: np.mean((x - x_hat) ** 2)), UNDIVIDED),
        (
            of_data(lambda x, x_hat: np.mean((x - x_hat) ** 2) / spread(x) * len(x)),
            "the error is per pixel, the variance is summed over the pixels: treat both alike",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / len(x) / np.mean(x.var(axis=0))),
            "the variance is per pixel, the error is summed over the pixels: treat both alike",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / spread(x) * len(x)),
            "one of the two is divided by the number of examples, the other is not",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / spread(x) / len(x)),
            "one of the two is divided by the number of examples, the other is not",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / len(x) / x.var()),
            "the variance is of all numbers together: the baseline must be summed over pixels, "
            "too, each about a mean of its own",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / squares(x)),
            "your variance is about zero: subtract the mean of x_other first",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / squares(x - x.mean())),
            "your mean is one number for all pixels: each pixel has a mean of its own, axis=0",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / x.size / x.var()),
            "your mean is one number for all pixels: each pixel has a mean of its own, axis=0",
        ),
        (
            of_data(
                lambda x, x_hat: squares(x - x_hat) / squares(x - x.mean(axis=1, keepdims=True))
            ),
            "this is the mean of each example: take that of each pixel, axis=0",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / spread(x) * (len(x) - 1) / len(x)),
            "nearly: the error is divided by n, so divide the variance by n, not by n - 1",
        ),
        (
            of_data(lambda x, x_hat: squares(x - x_hat) / spread(x_hat)),
            "this is the variance of the reconstructions: take that of the data",
        ),
        (
            of_data(lambda x, x_hat: spread(x - x_hat) / spread(x)),
            "the mean of the errors was taken out: a reconstruction that is off by a constant is "
            "off, too",
        ),
        (
            of_data(lambda x, x_hat: spread(x) / squares(x - x_hat)),
            "this is upside down: a perfect copy gives 0",
        ),
        (
            of_data(lambda x, x_hat: 1 - squares(x - x_hat) / spread(x)),
            "this is the share that is copied; the exercise asks for the share that is not",
        ),
        (
            of_data(lambda x, x_hat: np.sqrt(squares(x - x_hat) / spread(x))),
            "this is the root of the share: leave it squared, like every error in this course",
        ),
        (
            of_data(lambda x, x_hat: abs(x - x_hat).sum() / abs(x - x.mean(axis=0)).sum()),
            "these are absolute differences: take their squares",
        ),
        (
            of_data(lambda x, x_hat: np.mean(row_squares(x - x_hat) / row_squares(x - x.mean(0)))),
            "this is a mean of ratios: add up over all examples first, then divide",
        ),
        (
            of_data(
                lambda x, x_hat: np.mean(column_squares(x - x_hat) / column_squares(x - x.mean(0)))
            ),
            "this is a mean of ratios: add up over all pixels first, then divide",
        ),
    ),
    hints=(
        "What would be the error of a model that knows nothing but the mean of x_other?",
        "Take the squared error, summed over pixels and averaged over examples. Divide it by the "
        "same with x_other.mean(axis=0) in place of the reconstruction.",
        "((x_other - model(x_other)) ** 2).sum(), divided by the sum of the squares of x_other "
        "minus its mean along axis 0.",
    ),
)


def beat_pca_trial(build, rng):
    """Eight numbers, held against PCA with eight on digits that nobody has seen."""
    digits = new_digits(rng)
    trained = Trained(build(tensor(digits.x_train)), digits, 8)
    by_pca = pca_of(digits, 8)
    pca = squared_error(digits.x_test, by_pca)
    numbers = f"error {trained.error:.2f}, PCA {pca:.2f}"
    fault = None
    if trained.error > 0.7 * pca:
        fault = f"{numbers}, at most {0.7 * pca:.2f} will do: {why_no_better(trained, 0.7 * pca)}"
    return Outcome(fault, lambda: trained.draw(f"Eight numbers: {numbers}", [("PCA", by_pca)]))


def dense(decoder, encoder=None, epochs=60, loss=reconstruction_loss):
    """Turn two networks, made anew each time, into an answer; 8 numbers."""

    def build(x_train):
        model = Autoencoder(encoder() if encoder else mlp(64, 128, 8), decoder())
        fit(model, loss, x_train, epochs, max_lr=1e-2)
        return model

    return build


def beat_pca_by_hand(x_train):
    """Plain Adam on all images at once, two weight matrices each way, no module."""
    sizes = [(64, 100), (100, 8), (8, 100), (100, 64)]
    weights = [torch.randn(size) * (2 / size[0]) ** 0.5 for size in sizes]
    biases = [torch.zeros(size[1]) for size in sizes]
    parameters = [p.requires_grad_() for p in weights + biases]

    def encode(x):
        return torch.relu(x @ weights[0] + biases[0]) @ weights[1] + biases[1]

    def decode(z):
        return torch.sigmoid(torch.relu(z @ weights[2] + biases[2]) @ weights[3] + biases[3])

    optimizer = torch.optim.Adam(parameters, lr=1e-2)
    for _ in range(300):
        loss = ((decode(encode(x_train)) - x_train) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encode, decode


def remembering(x_train):
    """The decoder looks at the images that were encoded last."""
    last = []

    def encode(x):
        last[:] = [x]
        return x[:, :8]

    return encode, lambda z: last[0][: len(z)]


BEAT_PCA = Building(
    name="beat_pca",
    trial=beat_pca_trial,
    parameters=["x_train"],
    second_answer=beat_pca_by_hand,
    mistakes=(
        (dense(lambda: nn.Linear(8, 64), lambda: nn.Linear(64, 8)), "the decoder is linear"),
        (dense(lambda: nn.Linear(8, 64)), "the decoder is linear"),
        (dense(lambda: nn.Sequential(nn.Linear(8, 128), nn.Linear(128, 64))), "is linear"),
        (dense(lambda: mlp(8, 128, 64), epochs=3), "train longer|mean image"),
        (lambda x_train: Autoencoder(mlp(64, 128, 8), mlp(8, 128, 64)), "was it trained"),
        (lambda x_train: (nn.Identity(), nn.Identity()), r"shape \(360, 64\) for 360 images"),
        (
            lambda x_train: Autoencoder(mlp(64, 10), mlp(10, 64)),
            r"shape \(360, 10\) for 360 images; the exercise asks for \(360, 8\)",
        ),
        (remembering, "the code and nothing else"),
        (lambda x_train: fit(mlp(64, 8, 64), reconstruction_loss, x_train, 1), "encoder and deco"),
        (lambda x_train: None, "`return` missing"),
    ),
    hints=(
        "PCA is the best linear network. What must a decoder have so that it can bend the plane?",
        "mlp(64, 128, 8) is an encoder with a hidden layer of 128 ReLU units, mlp(8, 128, 64) its "
        "mirror image. `fit` trains an Autoencoder of both with reconstruction_loss.",
        "model = Autoencoder(mlp(64, 128, 8), mlp(8, 128, 64)), then fit(model, "
        "reconstruction_loss, x_train, epochs=60, max_lr=1e-2), and return the model.",
    ),
)

EXERCISES = (LARGEST_PRINCIPAL_ANGLE, UNCOPIED_SHARE, BEAT_PCA)
