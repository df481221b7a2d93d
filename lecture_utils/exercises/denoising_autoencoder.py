"""Exercises on the best denoiser of two known images, and on decibels that mean what they say."""

import math

import numpy as np
import torch
from torch import nn

from lecture_utils.autoencoders import mlp
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    called,
    functions,
    new_digits,
    squared_error,
    tensor,
)
from lecture_utils.exercises.exercise import Exercise
from lecture_utils.training import fit


def two_point_cases(rng):
    """By hand, then random pairs, then noise so small that densities underflow.

    Even there the first point is in doubt: it is almost as near to a as to b.
    """
    cases = [
        (np.array([[0.0], [0.5]]), np.array([1.0]), np.array([-1.0]), 1.0),
        (np.array([[0.5, 2], [1, 1]]), np.array([0.0, 0]), np.array([2.0, 0]), 0.8),
        (np.array([[3, 1], [0, 0], [9, -9]]), np.array([1, 2]), np.array([0, 2]), 2),
        (np.array([[0.5, 2]]), np.array([1.0, 1]), np.array([1.0, 1]), 0.7),
    ]
    for n, d in ((4, 1), (5, 3), (3, 6)):
        a, b = rng.normal(size=(2, d))
        sigma = math.dist(a, b) * rng.uniform(0.4, 0.9)
        middle = (a + b) / 2 + rng.uniform(-0.4, 0.4, (n, 1)) * (b - a)
        cases.append((middle + 0.3 * sigma * rng.normal(size=(n, d)), a, b, sigma))
    # The last one: where all else is right, it tells that densities underflowed.
    far = np.array([[3e-5, 0], [0.3, -0.1]])
    return [*cases, (far, np.array([1.0, 1]), np.array([-1.0, -1]), 0.01)]


def denoised_by_tweedie(y, a, b, sigma):
    """y + sigma^2 times the gradient of log p(y), where p is a Gaussian times a cosh.

    With m the middle and c half the way from b to a:
    log p(y) = -|y - m|^2 / (2 sigma^2) + log cosh(c (y - m) / sigma^2) + constant.
    """
    m, c = (a + b) / 2, (a - b) / 2
    s = (y - m) @ c / sigma**2
    gradient = -(y - m) / sigma**2 + np.tanh(s)[:, None] * c / sigma**2
    return y + sigma**2 * gradient


def denoised_loop(y, a, b, sigma):
    """One point at a time; the nearer of the two gets the weight 1 before dividing."""
    denoised = []
    for point in y:
        exponents = [-(math.dist(point, centre) ** 2) / (2 * sigma**2) for centre in (a, b)]
        weights = [math.exp(exponent - max(exponents)) for exponent in exponents]
        denoised.append((weights[0] * a + weights[1] * b) / sum(weights))
    return denoised


def distances(y, centre):
    """Squared, shape (n, 1)."""
    return np.sum((y - centre) ** 2, axis=1, keepdims=True)


def mixing(log_odds):
    """Turn a rule for the log of the odds of a against b into an answer."""

    def answer(y, a, b, sigma):
        share = (1 + np.tanh(log_odds(distances(y, a), distances(y, b), sigma) / 2)) / 2
        return share * a + (1 - share) * b

    return answer


def right_log_odds(near_a, near_b, sigma):
    return (near_b - near_a) / (2 * sigma**2)


def underflowing(y, a, b, sigma):
    at_a, at_b = (np.exp(-distances(y, centre) / (2 * sigma**2)) for centre in (a, b))
    return (at_a * a + at_b * b) / (at_a + at_b)


def with_epsilon(y, a, b, sigma):
    at_a, at_b = (np.exp(-distances(y, centre) / (2 * sigma**2)) for centre in (a, b))
    return (at_a * a + at_b * b) / (at_a + at_b + 1e-12)


def per_coordinate(y, a, b, sigma):
    share = (1 + np.tanh(((y - b) ** 2 - (y - a) ** 2) / (4 * sigma**2))) / 2
    return share * a + (1 - share) * b


def all_at_once(y, a, b, sigma):
    near_a, near_b = np.sum((y - a) ** 2), np.sum((y - b) ** 2)
    share = (1 + np.tanh(right_log_odds(near_a, near_b, sigma) / 2)) / 2
    return np.broadcast_to(share * a + (1 - share) * b, y.shape)


def by_inverse_distance(y, a, b, sigma):
    near_a, near_b = np.sqrt(distances(y, a)), np.sqrt(distances(y, b))
    return (near_b * a + near_a * b) / (near_a + near_b)


def wiener(y, a, b, sigma):
    m, c = (a + b) / 2, (a - b) / 2
    return m + (y - m) @ np.outer(c, c) / (c @ c + sigma**2)


def projected(y, a, b, sigma):
    m, c = (a + b) / 2, (a - b) / 2
    return m + (y - m) @ np.outer(c, c) / (c @ c)


def share_of_a(y, a, b, sigma):
    odds = right_log_odds(distances(y, a), distances(y, b), sigma)
    return (1 + np.tanh(odds / 2))[:, 0] / 2


STANDARD_DEVIATION = (
    "this divides by sigma: the exponent of a Gaussian has the variance, sigma squared"
)
TWO_MISSING = "the 2 is missing: the exponent of a Gaussian is -|y - x|^2 / (2 sigma^2)"

TWO_POINT_DENOISER = Exercise(
    name="two_point_denoiser",
    cases=two_point_cases,
    oracle=lambda y, a, b, sigma: denoised_by_tweedie(y, a, b, sigma),
    second_answer=denoised_loop,
    mistakes=(
        (
            lambda y, a, b, sigma: np.where(distances(y, a) <= distances(y, b), a, b),
            "this is the nearer of the two, the most probable one: the squared error is smallest "
            "at the mean of both, weighted by their probabilities",
        ),
        (
            lambda y, a, b, sigma: np.where(distances(y, a) < distances(y, b), a, b),
            "this is the nearer of the two, the most probable one: the squared error is smallest "
            "at the mean of both, weighted by their probabilities",
        ),
        (
            mixing(lambda near_a, near_b, sigma: (near_b - near_a) / (2 * sigma)),
            STANDARD_DEVIATION,
        ),
        (
            mixing(lambda near_a, near_b, sigma: (near_b - near_a) / sigma),
            f"{STANDARD_DEVIATION}, times 2",
        ),
        (mixing(lambda near_a, near_b, sigma: (near_b - near_a) / sigma**2), TWO_MISSING),
        (
            mixing(lambda near_a, near_b, sigma: (near_b - near_a) / 2),
            "sigma is missing: the less noise, the surer the answer",
        ),
        (
            mixing(
                lambda near_a, near_b, sigma: (np.sqrt(near_b) - np.sqrt(near_a)) / (2 * sigma**2)
            ),
            "the distances are not squared: the exponent of a Gaussian has their squares",
        ),
        (
            mixing(lambda near_a, near_b, sigma: -right_log_odds(near_a, near_b, sigma)),
            "the weights are swapped: the nearer point is the more probable one",
        ),
        (
            lambda y, a, b, sigma: np.broadcast_to((a + b) / 2, y.shape),
            "this is the midpoint, the best answer before y is seen: use y",
        ),
        (
            lambda y, a, b, sigma: y,
            "this is y itself: the mean of what x may have been lies between a and b",
        ),
        (
            lambda y, a, b, sigma: denoised_by_tweedie(y, a, b, sigma) - y,
            "this is the arrow, from y to the answer: add y",
        ),
        (share_of_a, "this is the probability of a; the exercise asks for the mean of a and b"),
        (
            per_coordinate,
            "each coordinate is weighed by itself: x is a or b as a whole, so add up the squares "
            "over all coordinates",
        ),
        (
            all_at_once,
            "the squares are added up over all points: each y has weights of its own, axis=1",
        ),
        (
            by_inverse_distance,
            "weights from plain distances do not know sigma: take the densities of the noise",
        ),
        (
            wiener,
            "this is Wiener's filter, the best linear one: the best of all is not linear here",
        ),
        (
            projected,
            "this is the nearest point on the line through a and b: x is one of the two only",
        ),
        (
            underflowing,
            "right, but for small sigma both densities underflow, which gives 0/0: divide by the "
            "larger one first, or use the difference of the exponents",
        ),
        (
            with_epsilon,
            "for small sigma both densities underflow, and hiding the 0/0 makes a wrong answer of "
            "it: divide by the larger one first, or use the difference of the exponents",
        ),
    ),
    hints=(
        "Given y, how probable are a and b? Bayes' rule, with the density of the noise that leads "
        "from each of them to y.",
        "The probability of a is A / (A + B) with A = exp(-|y - a|^2 / (2 sigma^2)) and B alike. "
        "Divide both by A: only the difference of the exponents is left.",
        "With t = (|y - a|^2 - |y - b|^2) / (2 sigma^2), one number for each row, the share of a "
        "is scipy.special.expit(-t), and the answer is share * a + (1 - share) * b.",
    ),
)


def image_cases(rng):
    """By hand, then images with several peaks, and methods that are not equally good on all."""
    x = np.zeros((2, 4))
    cases = [
        (x, x + 4.0, x + 0.4, 4.0),
        (x, np.array([[2.0, -2, 2, -2], [4, 0, 0, 0]]), np.array([[1.0] * 4, [0, 1, 0, 1]]), 2.0),
    ]
    cases.append(  # whole numbers, one image
        (np.array([[0, 8, 16]]), np.array([[4, 9, 12]]), np.array([[1, 8, 15]]), 16)
    )
    for n, d, peak in ((4, 6, 16.0), (6, 9, 100.0), (5, 8, 7.0)):
        x = rng.uniform(0, peak, (n, d))
        noisy = x + peak * rng.uniform(0.2, 0.5, (n, 1)) * rng.normal(size=(n, d))
        denoised = x + peak * rng.uniform(0.05, 0.2, (n, 1)) * rng.normal(size=(n, d))
        cases.append((x, noisy, denoised, peak))
    return cases


def quality_by_norms(x, noisy, denoised, peak):
    """20 log10 of root-mean-square errors, and the gain from their ratio, without the peak."""
    left, before = np.linalg.norm(denoised - x, axis=1), np.linalg.norm(noisy - x, axis=1)
    in_decibels = 20 * np.log10(peak * math.sqrt(x.shape[1]) / left)
    return in_decibels.sum() / len(x), 20 * np.log10(before / left).sum() / len(x)


def quality_loop(x, noisy, denoised, peak):
    scores = []
    for images in (denoised, noisy):
        decibels = 0
        for row, clean in zip(images.tolist(), x.tolist(), strict=True):
            squares = [(a - b) ** 2 for a, b in zip(row, clean, strict=True)]
            decibels += 10 * math.log10(peak**2 * len(squares) / sum(squares))
        scores.append(decibels / len(x))
    return scores[0], scores[0] - scores[1]


def mean_square(x, x_hat):
    return np.mean((x - x_hat) ** 2, axis=1)


def scoring(psnr):
    """Turn a rule for the mean quality of images, given clean ones and a peak, into an answer."""

    def answer(x, noisy, denoised, peak):
        score = psnr(x, denoised, peak)
        return score, score - psnr(x, noisy, peak)

    return answer


def right_psnr(x, x_hat, peak):
    return np.mean(10 * np.log10(peak**2 / mean_square(x, x_hat)))


def pooled_psnr(x, x_hat, peak):
    return 10 * np.log10(peak**2 / np.mean((x - x_hat) ** 2))


def with_peak(rule):
    """Turn another peak, given the images and the right one, into an answer."""
    return scoring(lambda x, x_hat, peak: right_psnr(x, x_hat, rule(x, x_hat, peak)))


def against_noisy(x, noisy, denoised, peak):
    score = right_psnr(noisy, denoised, peak)
    return score, score - right_psnr(x, noisy, peak)


LARGEST_VALUE = (
    "the peak is read off the images: it is the largest value that a pixel may have, so use `peak`"
)
POOLED = (
    "the squared errors of all images are averaged before the logarithm: decibels of each image "
    "first, then the mean"
)

PSNR_AND_GAIN = Exercise(
    name="psnr_and_gain",
    cases=image_cases,
    oracle=lambda x, noisy, denoised, peak: quality_by_norms(x, noisy, denoised, peak),
    second_answer=quality_loop,
    mistakes=(
        (
            against_noisy,
            "this is the report's score, against the noisy images: who changes nothing wins; "
            "compare with the clean ones",
        ),
        (
            lambda x, noisy, denoised, peak: (right_psnr(noisy, denoised, peak),) * 2,
            "this is the report's score, against the noisy images: who changes nothing wins; "
            "compare with the clean ones",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                right_psnr(noisy, denoised, peak),
            ),
            "the gain is not the quality against the noisy images: subtract the quality of the "
            "noisy images, against the clean ones",
        ),
        (
            scoring(
                lambda x, x_hat, peak: np.mean(
                    10 * np.log10(peak**2 / np.sum((x - x_hat) ** 2, axis=1))
                )
            ),
            "the squared errors are summed over the pixels: take their mean",
        ),
        (with_peak(lambda x, x_hat, peak: 255), "the peak is not 255 here: use `peak`"),
        (
            with_peak(lambda x, x_hat, peak: 1),
            "this takes 1 for the peak, as in the lecture: use `peak`",
        ),
        (
            scoring(
                lambda x, x_hat, peak: np.mean(10 * np.log10(peak / mean_square(x, x_hat))),
            ),
            "the peak is not squared, the errors are: square both or none",
        ),
        (
            scoring(
                lambda x, x_hat, peak: np.mean(20 * np.log10(peak**2 / mean_square(x, x_hat))),
            ),
            "20 times the logarithm goes with errors that are not squared: here it is 10 times",
        ),
        (
            scoring(
                lambda x, x_hat, peak: np.mean(
                    10 * np.log10(peak / np.sqrt(mean_square(x, x_hat))),
                )
            ),
            "10 times the logarithm goes with squared errors: with their root it is 20 times",
        ),
        (
            with_peak(lambda x, x_hat, peak: np.maximum(x.max(), 1e-300)),
            LARGEST_VALUE,
        ),
        (
            with_peak(lambda x, x_hat, peak: np.maximum(x.max(axis=1), 1e-300)),
            LARGEST_VALUE,
        ),
        (
            scoring(lambda x, x_hat, peak: math.log(10) * right_psnr(x, x_hat, peak)),
            "this is the natural logarithm: decibels use base 10",
        ),
        (
            scoring(lambda x, x_hat, peak: right_psnr(x, x_hat, peak) / 10),
            "this is in bels: ten decibels each",
        ),
        (scoring(pooled_psnr), POOLED),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                pooled_psnr(x, denoised, peak) - pooled_psnr(x, noisy, peak),
            ),
            f"the gain: {POOLED}",
        ),
        (
            scoring(
                lambda x, x_hat, peak: np.mean(
                    20 * np.log10(peak / np.mean(abs(x - x_hat), axis=1)),
                )
            ),
            "these are absolute errors: take their squares",
        ),
        (
            scoring(lambda x, x_hat, peak: -right_psnr(x, x_hat, peak)),
            "the sign is flipped: smaller errors are more decibels",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                right_psnr(x, noisy, peak) - right_psnr(x, denoised, peak),
            ),
            "the sign of the gain is flipped: positive is better than doing nothing",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                right_psnr(x, denoised, peak) / right_psnr(x, noisy, peak),
            ),
            "the gain is a difference of decibels, not their ratio",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak) - right_psnr(x, noisy, peak),
                right_psnr(x, denoised, peak),
            ),
            "the two values are in the other order: first the ratio, then the gain",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                right_psnr(x, noisy, peak),
            ),
            "the second value is the quality of the noisy images: the gain is the difference of "
            "the two",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, np.clip(denoised, 0, peak), peak),
                right_psnr(x, np.clip(denoised, 0, peak), peak)
                - right_psnr(x, np.clip(noisy, 0, peak), peak),
            ),
            "the images were clipped: judge them as they are",
        ),
        (
            lambda x, noisy, denoised, peak: (
                right_psnr(x, denoised, peak),
                right_psnr(x, denoised, peak) - right_psnr(x, np.clip(noisy, 0, peak), peak),
            ),
            "the noisy images were clipped: judge them as they are",
        ),
    ),
    hints=(
        "Against which images must a denoised image be compared, so that doing nothing is not the "
        "best one can do?",
        "For errors on grey values up to `peak` the lecture's formula holds for x / peak. The gain "
        "is the score of `denoised` minus that of `noisy`, both against x.",
        "For each image 10 * np.log10(peak**2 / mse) with the mean squared error against x, along "
        "axis 1; the mean of that over the images. The same for `noisy`, and the difference.",
    ),
)

SIGMA = 0.5  # of the noise that the trained denoiser removes


def remover_trial(build, rng):
    """Fresh noise on unseen digits, held against Wiener's filter."""
    digits = new_digits(rng)
    (denoise,) = functions(build(tensor(digits.x_train), SIGMA), ("the denoiser",))
    x = np.repeat(digits.x_test, 4, axis=0)
    noisy = x + SIGMA * rng.normal(size=x.shape)
    mine = called(denoise, noisy, x.shape, "the denoiser")
    linear = wiener_of(digits.x_train, SIGMA)(noisy)
    error, wiener = squared_error(x, mine), squared_error(x, linear)
    numbers = f"error {error:.2f}, Wiener {wiener:.2f}"
    return Outcome(
        remover_fault(denoise, digits, noisy, mine, error, wiener, numbers),
        lambda: draw_denoised(x, noisy, linear, mine, numbers),
    )


def wiener_of(x_train, sigma):
    """Wiener's filter: the best linear answer for the training digits."""
    mean, covariance = x_train.mean(axis=0), np.cov(x_train.T, bias=True)
    matrix = np.linalg.solve(covariance + sigma**2 * np.eye(len(mean)), covariance)
    return lambda y: mean + (y - mean) @ matrix


def remover_fault(denoise, digits, noisy, mine, error, wiener, numbers):
    limit = 0.88 * wiener
    if error <= limit:
        return None
    numbers = f"{numbers}, at most {limit:.2f} will do"
    if mine.std(axis=0).max() < 1e-3:
        return f"{numbers}: every noisy image gives the same answer: was it trained?"
    if squared_error(noisy, mine) < 0.3 * 64 * SIGMA**2:
        return (
            f"{numbers}: the answer is close to the noisy image, so the noise was learned: the "
            "target of the loss must be the clean image"
        )
    rng = np.random.default_rng(0)
    seen = digits.x_train + SIGMA * rng.normal(size=digits.x_train.shape)
    on_seen = squared_error(digits.x_train, called(denoise, seen, seen.shape, "the denoiser"))
    clean = called(denoise, digits.x_test, digits.x_test.shape, "the denoiser")
    if squared_error(digits.x_test, clean) < 0.15 * error:
        return (
            f"{numbers}: clean digits come back nearly unchanged: was noise of this strength "
            "added to what goes in while it was trained?"
        )
    if on_seen < 0.8 * error:
        return f"{numbers}: on training digits the error is smaller, {on_seen:.2f}: it overfits"
    return (
        f"{numbers}: draw new noise for each batch, train longer, or widen the hidden layer; "
        "without a nonlinearity Wiener's filter is the best there is"
    )


def draw_denoised(x, noisy, linear, mine, numbers):
    from lecture_utils.plotting import show_images

    shown = slice(0, 40, 4)
    show_images(
        [images[shown] for images in (x, noisy, linear, mine)],
        ["clean", "noisy", "Wiener", "yours"],
        f"Noise removed: {numbers}",
        "Ten small digits: clean, with noise, after Wiener's filter, after your denoiser.",
    )


def remover(epochs=60, hidden=256, noise=None, target=None, network=None, once=False):
    """An answer that trains a network on noisy digits.

    noise : (images, sigma) -> what is added;  target : (clean, noisy) -> what the loss asks for
    """

    def build(x_train, sigma):
        model = network() if network else nn.Sequential(mlp(64, hidden, 64), nn.Sigmoid())
        add = noise or (lambda x, sigma: sigma * torch.randn_like(x))
        aim = target or (lambda clean, noisy: clean)

        def loss(model, x):
            noisy = x[:, 64:] if once else x + add(x, sigma)
            x = x[:, :64]
            return ((model(noisy) - aim(x, noisy)) ** 2).sum(1).mean()

        pairs = torch.cat([x_train, x_train + add(x_train, sigma)], 1) if once else x_train
        fit(model, loss, pairs, epochs, max_lr=1e-2)
        return model

    return build


def mean_of_all(x_train, sigma):
    """The best answer if the training digits were all there are, as for two images; no training."""
    x = x_train.numpy().astype(float)

    def denoise(y):
        y = y.numpy()
        exponents = -((y**2).sum(1)[:, None] - 2 * y @ x.T + (x**2).sum(1)) / (2 * sigma**2)
        weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        return weights @ x / weights.sum(axis=1, keepdims=True)

    return denoise


def wiener_answer(x_train, sigma):
    linear = wiener_of(x_train.numpy().astype(float), sigma)
    return lambda y: linear(y.numpy())


NOISE_REMOVER = Building(
    name="noise_remover",
    trial=remover_trial,
    parameters=["x_train", "sigma"],
    second_answer=mean_of_all,
    mistakes=(
        (remover(target=lambda clean, noisy: noisy, network=lambda: mlp(64, 64)), "the clean im"),
        (lambda x_train, sigma: nn.Identity(), "close to the noisy image"),
        (remover(noise=lambda x, sigma: 0 * x), "was noise of this strength added|noise was lear"),
        (remover(noise=lambda x, sigma: 0.2 * sigma * torch.randn_like(x)), "was noise of this|dr"),
        (wiener_answer, "Wiener's filter is the best"),
        (remover(network=lambda: nn.Linear(64, 64)), "Wiener's filter is the best"),
        (remover(epochs=150, once=True), "overfits|draw new noise"),
        (remover(epochs=2), "train longer"),
        (lambda x_train, sigma: remover()(x_train, sigma)(x_train), "must be a function or a net"),
    ),
    hints=(
        "What goes into the network, and what does the loss compare its output with? Only one of "
        "the two has noise.",
        "In the loss, noisy = x + sigma * torch.randn_like(x): new noise for every batch. Then the "
        "squared error between model(noisy) and x, summed over the pixels.",
        "model = nn.Sequential(mlp(64, 256, 64), nn.Sigmoid()), the loss ((model(x + sigma * "
        "torch.randn_like(x)) - x) ** 2).sum(1).mean(), and `fit` with 60 epochs and max_lr=1e-2.",
    ),
)

EXERCISES = (TWO_POINT_DENOISER, PSNR_AND_GAIN, NOISE_REMOVER)
