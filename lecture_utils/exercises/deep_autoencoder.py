"""Exercises on the number of parameters, and on a choice that was made on the test set."""

import math

import numpy as np
import torch
from torch import nn

from lecture_utils.autoencoders import Autoencoder, he_initialised, mlp, reconstruction_loss
from lecture_utils.exercises.building import (
    Building,
    Outcome,
    Trained,
    is_affine,
    new_digits,
    pca_of,
    squared_error,
    tensor,
    why_no_better,
)
from lecture_utils.exercises.exercise import Exercise
from lecture_utils.training import fit


def size_cases(rng):
    """Two by hand, then networks that get narrower towards the code."""
    cases = [np.array(sizes) for sizes in ([2, 1], [5, 3, 2], [4, 7, 7, 2], [784, 512, 128, 30])]
    for m in (3, 4, 5):
        cases.append(np.sort(rng.choice(np.arange(2, 60), m, replace=False))[::-1].copy())
    return [(sizes,) for sizes in cases]


def parameters_by_layer(sizes):
    """Every layer of the whole network: one row of weights for each input, one for the bias."""
    whole = np.concatenate([sizes, sizes[-2::-1]])
    return np.sum((whole[:-1] + 1) * whole[1:])


def parameters_by_unit(sizes):
    """Each unit that is no input has one bias, and one weight for each unit before it."""
    whole = [int(size) for size in sizes]
    whole += whole[-2::-1]
    total = 0
    for layer in range(1, len(whole)):
        for _ in range(whole[layer]):
            total += whole[layer - 1] + 1
    return total


def links(sizes):
    return np.sum(sizes[:-1] * sizes[1:])


def encoder_parameters(sizes):
    return np.sum((sizes[:-1] + 1) * sizes[1:])


N_PARAMETERS = Exercise(
    name="n_parameters",
    cases=size_cases,
    oracle=lambda sizes: parameters_by_layer(sizes),
    second_answer=parameters_by_unit,
    mistakes=(
        (
            lambda sizes: 2 * links(sizes),
            "these are the weights only: each output of a layer has a bias, too",
        ),
        (links, "these are the encoder's weights: the decoder and all biases are missing"),
        (encoder_parameters, "this is the encoder only: add the decoder"),
        (
            lambda sizes: encoder_parameters(sizes[::-1]),
            "this is the decoder only: add the encoder",
        ),
        (
            lambda sizes: 2 * encoder_parameters(sizes),
            "the decoder has other biases than the encoder: one for each of its own outputs",
        ),
        (
            lambda sizes: 2 * encoder_parameters(sizes[::-1]),
            "the encoder has other biases than the decoder: one for each of its own outputs",
        ),
        (
            lambda sizes: parameters_by_layer(sizes) + sizes[0],
            "there are too many biases: the pixels that come in have none",
        ),
        (
            lambda sizes: 2 * links(sizes) + np.sum(sizes),
            "there are too few biases: this counts each size once, but hidden layers stand on "
            "both sides",
        ),
        (
            lambda sizes: 2 * links(sizes) + 2 * (len(sizes) - 1),
            "this is one bias for each layer: there is one for each output of a layer",
        ),
        (
            lambda sizes: parameters_by_layer(sizes) + sizes[-1] * (sizes[-1] + 1),
            "there is a layer too many, from the code to the code: the code stands only once "
            "in the middle",
        ),
        (
            lambda sizes: np.prod(sizes),
            "this multiplies all sizes together: a layer joins two neighbours only; add the layers",
        ),
        (
            lambda sizes: 2 * np.prod(sizes),
            "this multiplies all sizes together: a layer joins two neighbours only; add the layers",
        ),
    ),
    hints=(
        "A linear layer computes Wx + b. How many numbers are in W, how many in b?",
        "A layer from a to b units has a * b weights and b biases. Its mirror image in the decoder "
        "goes from b to a: as many weights, but how many biases?",
        "Each pair of neighbouring sizes a, b adds 2 * a * b + a + b.",
    ),
)


# Together with the case by hand: all the mistakes below lead to answers of their own.
SEPARATING = (
    np.array([2, 3, 4, 8, 14, 16, 18, 26, 29]),
    np.array(
        [
            [4.0, 13, 12, 14, 12, 6, 7, 14, 10],
            [13, 5, 2, 7, 9, 12, 10, 10, 6],
            [15, 11, 12, 12, 9, 5, 10, 8, 8],
            [5, 11, 11, 9, 6, 11, 5, 9, 9],
        ]
    ),
    np.array(
        [
            [9.0, 9, 2, 3, 3, 7, 2, 8, 4],
            [3, 3, 5, 2, 12, 1, 8, 6, 7],
            [9, 9, 8, 2, 2, 8, 4, 11, 5],
            [10, 6, 1, 8, 9, 3, 7, 12, 7],
        ]
    ),
)


# The best mean is 4 with a standard error of exactly 1, and "at most" lets 5 pass.
EXACTLY_AT_THE_LIMIT = (
    np.array([3, 5, 9]),
    np.array([[6, 5, 1], [6, 5, 5], [6, 5, 5], [6, 5, 5]]),
    np.array([[1, 2, 3], [3, 5, 8]]),
)
# The best mean is 2 with a standard error of 0.82, of 0.16 by the number of test images, and of
# 0.41 if s is divided by n.
MORE_TEST_IMAGES = (
    np.array([2, 3, 4, 7]),
    np.array([[2.7, 2.3, 2.1, 0], [2.7, 2.3, 2.1, 2], [2.7, 2.3, 2.1, 2], [2.7, 2.3, 2.1, 4]]),
    np.linspace(1, 3, 100)[:, None] * [4, 2, 1, 3],
)


def choice_cases(rng):
    """Four by hand, then errors that fall and rise again, on few images."""
    cases = [
        (
            np.array([1, 2, 4]),
            np.array([[7, 2.8, 1], [9, 3, 3]]),
            np.array([[7.0, 3, 2], [9, 5, 2]]),
        ),
        SEPARATING,
        EXACTLY_AT_THE_LIMIT,
        MORE_TEST_IMAGES,
    ]
    for n, n_other, m in ((12, 9, 6), (30, 40, 8)):
        ks = np.sort(rng.choice(np.arange(1, 40), m, replace=False))
        level = 5 + 0.4 * np.abs(np.arange(m) - m // 2)
        both = level * rng.gamma(4, 0.25, (n + n_other, m))
        cases.append((ks, both[:n], both[n:]))
    return cases


def choice_by_moments(ks, errors_validation, errors_test):
    """Means and variances from plain sums."""
    n = len(errors_validation)
    means = np.ones(n) @ errors_validation / n
    best = min(range(len(ks)), key=means.__getitem__)
    column = errors_validation[:, best]
    variance = (column @ column - n * means[best] ** 2) / (n - 1)
    limit = means[best] + math.sqrt(variance / n)
    k, chosen = min((k, i) for i, k in enumerate(ks) if means[i] <= limit)
    return k, np.ones(len(errors_test)) @ errors_test[:, chosen] / len(errors_test)


def choice_loop(ks, errors_validation, errors_test):
    n = len(errors_validation)
    best_mean, limit = math.inf, None
    for column in errors_validation.T:
        mean = sum(column) / n
        if mean < best_mean:
            spread = sum((error - mean) ** 2 for error in column)
            best_mean, limit = mean, mean + math.sqrt(spread / (n - 1) / n)
    for k, column, column_test in zip(ks, errors_validation.T, errors_test.T, strict=True):
        if sum(column) / n <= limit:
            return k, sum(column_test) / len(column_test)


def means(errors):
    return errors.mean(axis=0)


def standard_errors(errors, ddof=1):
    """Of the mean of each column."""
    return errors.std(axis=0, ddof=ddof) / math.sqrt(len(errors))


def of_best(errors, values):
    """That of `values` which belongs to the smallest mean error."""
    return values[means(errors).argmin()]


def within(errors, margin):
    """Positions of the candidates that are at most `margin` worse than the best."""
    return np.flatnonzero(means(errors) - means(errors).min() <= margin)


def by_rule(errors):
    """Positions of the candidates within one standard error."""
    return within(errors, of_best(errors, standard_errors(errors)))


def choosing(choose):
    """Turn a choice (validation errors, test errors) -> position into an answer."""

    def answer(ks, errors_validation, errors_test):
        position = choose(errors_validation, errors_test)
        return ks[position], means(errors_test)[position]

    return answer


def reporting(report):
    """Turn a report (validation errors, test errors, position) -> error into an answer."""

    def answer(ks, errors_validation, errors_test):
        position = by_rule(errors_validation)[0]
        return ks[position], report(errors_validation, errors_test, position)

    return answer


HONEST_CHOICE = Exercise(
    name="honest_choice",
    cases=choice_cases,
    oracle=lambda ks, errors_validation, errors_test: choice_by_moments(
        ks, errors_validation, errors_test
    ),
    second_answer=choice_loop,
    mistakes=(
        (
            choosing(lambda validation, test: means(test).argmin()),
            "this is what the report did: the test errors may not take part in the choice",
        ),
        (
            choosing(lambda validation, test: by_rule(test)[0]),
            "k is chosen on the test errors: choose it on the validation errors",
        ),
        (
            choosing(
                lambda validation, test: min(by_rule(validation), key=means(test).__getitem__)
            ),
            "the last step of the choice looks at the test errors: take the smallest k instead",
        ),
        (
            reporting(lambda validation, test, position: means(validation)[position]),
            "this reports the validation error, which took part in the choice: report the test "
            "error",
        ),
        (
            reporting(lambda validation, test, position: means(test).min()),
            "k is right, but this reports the smallest of all test errors: report that of k",
        ),
        (
            reporting(lambda validation, test, position: of_best(validation, means(test))),
            "k is right, but this reports the test error of the candidate with the smallest "
            "validation error: report that of k",
        ),
        (
            choosing(lambda validation, test: means(validation).argmin()),
            "this is the k of the smallest validation error: a smaller k within one standard error "
            "of it will do",
        ),
        (
            choosing(lambda validation, test: by_rule(validation)[-1]),
            "this is the largest k within one standard error: take the smallest",
        ),
        (
            choosing(lambda validation, test: means(validation).argmax()),
            "this is the k of the largest error: the best has the smallest",
        ),
        (
            choosing(
                lambda validation, test: within(
                    validation, of_best(validation, validation.std(axis=0, ddof=1))
                )[0]
            ),
            "this takes the standard deviation of single errors: the standard error of a mean is "
            "smaller by the square root of the number of images",
        ),
        (
            choosing(
                lambda validation, test: within(
                    validation, of_best(validation, standard_errors(validation, ddof=0))
                )[0]
            ),
            "nearly: the standard deviation divides by n - 1, use ddof=1",
        ),
        (
            choosing(
                lambda validation, test: within(
                    validation,
                    of_best(validation, validation.std(axis=0, ddof=1)) / len(validation),
                )[0]
            ),
            "s is divided by n: the standard error of a mean is s over the square root of n",
        ),
        (
            choosing(
                lambda validation, test: within(
                    validation,
                    of_best(validation, validation.std(axis=0, ddof=1)) / math.sqrt(len(test)),
                )[0]
            ),
            "s is divided by the root of the number of test images: the mean is that of the "
            "validation images, so count those",
        ),
        (
            choosing(
                lambda validation, test: np.flatnonzero(
                    (
                        means(validation)
                        < means(validation).min() + of_best(validation, standard_errors(validation))
                    )
                    | (means(validation) == means(validation).min())
                )[0]
            ),
            "a mean that equals the limit is left out: the rule says at most",
        ),
        (
            choosing(lambda validation, test: within(validation, standard_errors(validation))[0]),
            "this takes each candidate's own standard error: the rule takes that of the best",
        ),
        (
            lambda ks, validation, test: (
                by_rule(validation)[0],
                means(test)[by_rule(validation)[0]],
            ),
            "the first value is the position in ks; the exercise asks for k itself",
        ),
    ),
    hints=(
        "Which of the two arrays may the choice look at? Which one is left for the report?",
        "Take the mean of errors_validation along axis 0. The limit is its smallest value, plus "
        "the standard error of that one candidate: std with ddof=1, divided by the square root of "
        "the number of images.",
        "The position of the smallest k that qualifies is np.flatnonzero(mean <= limit)[0]. "
        "Return ks and the mean test error at that position.",
    ),
)


def plane_trial(build, rng):
    """Two numbers, held against PCA with two; the picture is the plane of the codes."""
    digits = new_digits(rng)
    trained = Trained(build(tensor(digits.x_train)), digits, 2)
    pca = squared_error(digits.x_test, pca_of(digits, 2))
    numbers = f"error {trained.error:.2f}, PCA {pca:.2f}"
    fault = None
    if trained.error > 0.7 * pca:
        fault = f"{numbers}, at most {0.7 * pca:.2f} will do: {why_no_better(trained, 0.7 * pca)}"
        if is_affine(trained.encode, digits.x_test) and not trained.decoder_is_affine:
            fault = f"{numbers}, at most {0.7 * pca:.2f} will do: the encoder is linear, it has to "
            fault += "bend, too: give it a hidden layer"
    return Outcome(fault, lambda: draw_plane(digits, trained, numbers))


def draw_plane(digits, trained, numbers):
    """Test digits in the plane of two principal components, and in that of the codes."""
    import matplotlib.pyplot as plt
    from sklearn.decomposition import PCA

    from lecture_utils.plotting import show

    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    planes = PCA(2).fit(digits.x_train).transform(digits.x_test), trained.codes
    for ax, codes, title in zip(axes, planes, ("PCA", "Yours"), strict=True):
        ax.scatter(*codes.T, s=4, color="#DADCE0")
        for digit in range(10):
            for point in codes[digits.y_test == digit][:20]:
                ax.text(*point, str(digit), color=plt.cm.tab10(digit), ha="center", va="center")
        ax.set(title=title, xlabel="first number", ylabel="second number")
    figure.suptitle(f"Two numbers: {numbers}")
    show(figure, "Test digits in two planes, written as coloured numerals: PCA's and your code's.")


def plane(sizes, sigmoid=True, epochs=100, decoder=None, encoder=None):
    """An answer with hidden layers of these sizes."""

    def build(x_train):
        up = decoder() if decoder else mlp(2, *sizes[::-1], 64)
        layers = [up, nn.Sigmoid()] if sigmoid else [up]
        down = encoder() if encoder else mlp(64, *sizes, 2)
        model = he_initialised(Autoencoder(down, nn.Sequential(*layers)))
        fit(model, reconstruction_loss, x_train, epochs, max_lr=1e-2)
        return model

    return build


def plane_by_tanh(x_train):
    """Tanh in the encoder and a loop of one's own; the two functions as a pair."""
    encoder = nn.Sequential(
        nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2)
    )
    decoder = nn.Sequential(
        nn.Linear(2, 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.Sigmoid(),
    )
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    steps = 100 * 12
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x = x_train[torch.randint(len(x_train), (128,))]
        loss = nn.functional.mse_loss(decoder(encoder(x)), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return encoder, decoder


DIGITS_IN_A_PLANE = Building(
    name="digits_in_a_plane",
    trial=plane_trial,
    parameters=["x_train"],
    second_answer=plane_by_tanh,
    mistakes=(
        (plane((128, 64), epochs=3), "train longer|mean image|linear"),
        (plane((), sigmoid=False), "linear"),
        (plane((), sigmoid=True), "linear|longer"),
        (plane((128,), sigmoid=False, decoder=lambda: nn.Linear(2, 64)), "the decoder is linear"),
        (plane((128,), encoder=lambda: nn.Linear(64, 2)), "the encoder is linear"),
        (
            lambda x_train: Autoencoder(mlp(64, 128, 3), mlp(3, 128, 64)),
            r"shape \(360, 3\) for 360 images; the exercise asks for \(360, 2\)",
        ),
        (
            lambda x_train: he_initialised(Autoencoder(mlp(64, 128, 2), mlp(2, 128, 64))),
            "was it trained",
        ),
    ),
    hints=(
        "With two numbers PCA shows a flat shadow of the digits. A deeper network may bend the "
        "plane; which of encoder and decoder must bend?",
        "Both need hidden layers: mlp(64, 128, 64, 2) and mlp(2, 64, 128, 64), with a sigmoid at "
        "the end if you like. Initialise with he_initialised, and give it about a hundred epochs.",
        "model = he_initialised(Autoencoder(mlp(64, 128, 64, 2), nn.Sequential(mlp(2, 64, 128, "
        "64), nn.Sigmoid()))), then fit(model, reconstruction_loss, x_train, 100, max_lr=1e-2).",
    ),
)

EXERCISES = (N_PARAMETERS, HONEST_CHOICE, DIGITS_IN_A_PLANE)
