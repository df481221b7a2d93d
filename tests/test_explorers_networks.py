"""The explorers of Part 2: their values are numpy's, scipy's and scikit-learn's."""

import itertools
import json
import re

import numpy as np
import pytest
from browser import require_chromium
from explorer_pages import LABELS, drag, numbers, press, put, read, show, shown, swipe, trained
from scipy.signal import convolve2d, correlate2d
from scipy.special import ive
from sklearn.metrics import precision_score, roc_auc_score

from lecture_utils.explorers import (
    denoising_explorer,
    eigenvalue_explorer,
    latent_explorer,
    steps_explorer,
    threshold_explorer,
    window_explorer,
)

require_chromium()

EIGENVALUES = [4, 2, 1.5, 1, 0.5, 0.2, 0.05]

# ---- the eigenvalues and the line ----

LINE_NUMBERS = ("threshold", "active", "kl", "error", "verdict")


def check_line(frame, eigenvalues=EIGENVALUES):
    """The numbers are those of the line that is shown, and as many bars are filled."""
    line = float(frame.locator("#line").get_attribute("aria-valuenow"))
    values = np.array(eigenvalues, dtype=float)
    active = sum(value > line for value in eigenvalues)
    threshold, shown_active, kl, error, verdict = read(frame, *LINE_NUMBERS)
    assert float(threshold) == pytest.approx(line, rel=5e-4)
    assert shown_active == f"{active} of {len(eigenvalues)}"
    assert float(kl) == pytest.approx(np.log(np.maximum(values, line) / line).sum() / 2, abs=6e-5)
    kept_error, lost = line * active, values[active:].sum()
    assert float(error) == pytest.approx(kept_error + lost, rel=5e-4)
    assert verdict == f"Active latents: {active}. Switched off: {len(eigenvalues) - active}."
    fills = [bar.get_attribute("class") for bar in frame.locator("#bars path").all()]
    assert fills == ["on"] * active + ["off"] * (len(eigenvalues) - active)
    return line


@pytest.mark.parametrize(
    ("eigenvalues", "threshold"),
    [
        (EIGENVALUES, 1),
        ([2, 0.0625], 1),  # an error of 1.0625, to be rounded up by both
        ([3], 4.2),
        (np.append(180 * 0.8 ** np.arange(61), [1e-14, 0, 0]), 2.345678),
    ],
)
def test_line_has_the_numbers_of_numpy_at_the_start(page, eigenvalues, threshold):
    frame = show(page, eigenvalue_explorer(eigenvalues, threshold))
    assert check_line(frame, eigenvalues) == threshold


def test_line_is_known_where_it_can_be_worked_out(page):
    frame = show(page, eigenvalue_explorer([np.e**2, 1, 0.5], 1))
    assert read(frame, *LINE_NUMBERS)[1:4] == ["1 of 3", "1.0000", "2.500"]


def test_line_moves_with_keys_between_its_ends(page):
    frame = show(page, eigenvalue_explorer(EIGENVALUES, 1))
    press(frame, "line", "ArrowDown")
    assert check_line(frame) == pytest.approx(0.9804)
    press(frame, "line", "Shift+ArrowUp", "ArrowRight")
    assert check_line(frame) == pytest.approx(1.25, rel=1e-3)
    press(frame, "line", *["Shift+ArrowUp"] * 9)
    assert check_line(frame) == 6
    assert read(frame, *LINE_NUMBERS)[1:3] == ["0 of 7", "0.0000"]
    press(frame, "line", *["Shift+ArrowDown"] * 25)
    assert check_line(frame) == 0.0333
    assert read(frame, *LINE_NUMBERS)[1] == "7 of 7"


def test_line_moves_with_the_mouse_also_outside_the_figure(page):
    frame = show(page, eigenvalue_explorer(EIGENVALUES, 1))
    drag(page, frame, "line", 0, dy=-60)
    assert 1.2 < check_line(frame) < 5
    drag(page, frame, "line", -300, dy=100)
    assert 0.05 < check_line(frame) < 1
    drag(page, frame, "line", 0, dy=2000)
    assert check_line(frame) == 0.0333
    bar = frame.locator("#line").bounding_box()
    page.mouse.move(bar["x"] + 60, bar["y"] + bar["height"] / 2)  # the line, far from its disc
    page.mouse.down()
    page.mouse.move(bar["x"] + 60, bar["y"] - 60, steps=4)
    page.mouse.up()
    assert check_line(frame) > 0.05


def test_line_moves_with_touch(phone):
    frame = show(phone, eigenvalue_explorer(EIGENVALUES, 1))
    swipe(phone, frame, "line", 0, dy=50)
    assert 0.05 < check_line(frame) < 0.7


@pytest.mark.parametrize(
    ("eigenvalues", "threshold", "words"),
    [
        ([1, 2], 1, "descending order: sort"),
        ([2, -1], 1, "none negative"),
        ([0, 0], 1, "the first positive"),
        ([2, np.nan], 1, "finite"),
        ([np.inf, 1], 1, "finite"),
        ([], 1, "from 1 to 64 numbers"),
        ([[2, 1]], 1, "from 1 to 64 numbers"),
        (np.ones(65), 1, "from 1 to 64 numbers"),
        ([2, 1], 3.1, "threshold is 3.1: choose it between 0.667 and 3.0"),
        ([2, 1], np.nan, "threshold is nan: choose it between"),
        ([2, 1], 0, "threshold is 0: choose it between"),
    ],
)
def test_bad_eigenvalues_are_refused_with_a_remedy(eigenvalues, threshold, words):
    with pytest.raises(ValueError, match=words):
        eigenvalue_explorer(eigenvalues, threshold)


# ---- the denoiser on the circle ----

GUESS_NUMBERS = ("sigma-label", "y-text", "size", "guess-size", "verdict")


def check_guess(frame):
    """The numbers and the dot are those of the posterior mean, here by summing over the circle."""
    sigma, where, size, guess_size, verdict = read(frame, *GUESS_NUMBERS)
    y = complex(*(float(text.replace("−", "-")) for text in re.findall(r"[−\d.]+", where)))
    x = np.exp(2j * np.pi * np.arange(4000) / 4000)
    weights = np.exp((abs(abs(y) - 1) ** 2 - abs(y - x) ** 2) / (2 * float(sigma.split()[-1]) ** 2))
    guess = (weights * x).sum() / weights.sum()
    assert float(size) == pytest.approx(abs(y), abs=6e-4)
    assert guess_size == f"{abs(guess):.3f}"
    where = "on the circle, to 3 decimals" if guess_size == "1.000" else "inside the circle"
    assert verdict == f"The best guess lies {where}."
    at = re.findall(r"[\d.]+", frame.locator("#guess").get_attribute("transform"))
    assert [float(value) for value in at] == pytest.approx(
        [230 + 95 * guess.real, 200 - 95 * guess.imag], abs=0.06
    )
    return y


def test_ratio_of_bessel_functions_is_exact(page):
    frame = show(page, denoising_explorer())
    s = [0, *np.geomspace(1e-6, 1e4, 201)]
    ratio = frame.evaluate(f"{json.dumps(s)}.map(besselRatio)")
    np.testing.assert_allclose(ratio, ive(1, s) / ive(0, s), atol=1e-12)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1])
def test_guess_is_right_at_the_start(page, sigma):
    frame = show(page, denoising_explorer(sigma))
    assert check_guess(frame) == 1.2 + 0.5j
    path = frame.locator("#arrows").get_attribute("d")
    points = np.array(re.findall(r"[\d.]+", path), dtype=float).reshape(80, 5, 2)
    start, end = ((part - [230, 200]) @ [1, -1j] / 95 for part in (points[:, 0], points[:, 1]))
    s = abs(start) / sigma**2
    np.testing.assert_allclose(end, start / abs(start) * ive(1, s) / ive(0, s), atol=2e-3)


def test_guess_of_a_point_of_the_circle_is_inside(page):
    frame = show(page, denoising_explorer())
    press(frame, "y", *["ArrowLeft"] * 4, *["Shift+ArrowDown"] * 2)
    assert check_guess(frame) == 1
    assert read(frame, *GUESS_NUMBERS)[2:4] == ["1.000", "0.954"]
    press(frame, "y", *["Shift+ArrowLeft"] * 4)
    assert check_guess(frame) == 0
    assert read(frame, *GUESS_NUMBERS)[2:4] == ["0.000", "0.000"]


def test_guess_follows_the_noise(page):
    frame = show(page, denoising_explorer())
    press(frame, "sigma", "ArrowRight")
    assert read(frame, "sigma-label") == ["noise: σ = 0.31"]
    check_guess(frame)
    slider = frame.get_by_role("slider", name="σ").bounding_box()
    page.mouse.click(slider["x"] + slider["width"] / 2, slider["y"] + slider["height"] / 2)
    assert 0.4 < numbers(frame, "sigma-label")[0] < 0.65
    check_guess(frame)
    press(frame, "sigma", "Home")
    press(frame, "y", *["Shift+ArrowRight"] * 4, *["Shift+ArrowUp"] * 6)
    assert check_guess(frame) == 2 + 2j
    assert read(frame, *GUESS_NUMBERS)[-1] == "The best guess lies on the circle, to 3 decimals."


def test_guess_follows_the_mouse_in_both_directions(page):
    frame = show(page, denoising_explorer())
    drag(page, frame, "y", -100, dy=150)
    y = check_guess(frame)
    assert 0.3 < y.real < 0.7
    assert -0.8 < y.imag < -0.3
    drag(page, frame, "y", -1100, dy=2)
    assert check_guess(frame).real == -2


def test_guess_follows_touch(phone):
    frame = show(phone, denoising_explorer())
    swipe(phone, frame, "y", -40, dy=-40)
    y = check_guess(frame)
    assert y.real < 0.9
    assert y.imag > 0.8


@pytest.mark.parametrize("sigma", [0, 0.04, 1.1, np.nan])
def test_bad_noise_is_refused_with_a_remedy(sigma):
    with pytest.raises(ValueError, match=f"sigma is {sigma}: choose it between 0.05 and 1"):
        denoising_explorer(sigma)


# ---- the latent plane ----

PLACE = ("z-first", "z-second")


def decoded(layers, z):
    """What the decoder makes of points, in float64."""
    for weight, bias in layers[:-1]:
        z = np.maximum(z @ weight.T + bias, 0)
    weight, bias = layers[-1]
    return 1 / (1 + np.exp(-(z @ weight.T + bias)))


def place(frame):
    return [float(text.replace("−", "-")) for text in read(frame, *PLACE)]


def check_image(frame, layers, codes):
    """The image that is drawn is what the decoder makes of the place that is shown."""
    z = frame.evaluate("state.z")
    assert place(frame) == pytest.approx(z, abs=6e-3)
    pixels = frame.evaluate("[...byId('image').getContext('2d').getImageData(0, 0, 28, 28).data]")
    grey = np.array(pixels).reshape(784, 4)
    assert (grey[:, 3] == 255).all()
    assert (grey[:, 0] == grey[:, 1]).all()
    np.testing.assert_allclose(1 - grey[:, 0] / 255, decoded(layers, np.array(z)), atol=0.012)
    nearest = np.argmin(((codes - z) ** 2).sum(axis=1))
    assert read(frame, "nearest") == [str(LABELS[nearest])]


@pytest.mark.parametrize("deep", [False, True])
def test_decoder_in_the_page_is_the_one_in_python(page, deep):
    layers, codes = trained()
    if deep:
        rng = np.random.default_rng(1)
        layers.insert(1, (rng.normal(size=(64, 64)) * 0.2, rng.normal(size=64)))
    frame = show(page, latent_explorer(layers, codes, LABELS))
    points = np.random.default_rng(2).uniform(-6, 6, size=(50, 2))
    images = frame.evaluate(f"{json.dumps(points.tolist())}.map(decode)")
    np.testing.assert_allclose(images, decoded(layers, points), atol=0.01)


def test_numbers_of_every_size_arrive(page):
    """Zero, subnormal and the largest 16-bit floats, of both signs, and codes of small spread."""
    hidden = np.array([[0, -0.0], [6e-8, -6e-8], [65504, -65504], [1, -1]])
    layers = [(hidden, np.zeros(4)), (np.full((784, 4), 1e-3), np.zeros(784))]
    codes = [[1e-3, 2e-3], [1.5e-3, -1e-3]]
    frame = show(page, latent_explorer(layers, codes, [3, 7]))
    np.testing.assert_allclose(frame.evaluate("[...numbers]")[:8], np.float16(hidden).ravel())
    assert place(frame) == pytest.approx(codes[0], abs=1e-4)


def test_plane_shows_all_codes_where_they_are(page):
    layers, codes = trained()
    frame = show(page, latent_explorer(layers, codes, LABELS))
    numerals = frame.locator("#codes text")
    assert numerals.all_text_contents() == [str(label) for label in LABELS]
    at = frame.evaluate(
        "[...byId('codes').children].map(t => ['x', 'y'].map(n => +t.getAttribute(n)))"
    )
    x, y = np.array(at).T
    assert min(*x, *y) > 0
    assert max(*x, *y) < 420
    assert np.corrcoef(x, codes[:, 0])[0, 1] > 0.99999
    assert np.corrcoef(y, codes[:, 1])[0, 1] < -0.99999


def test_image_follows_keys_mouse_and_the_edge(page):
    layers, codes = trained()
    frame = show(page, latent_explorer(layers, codes, LABELS))
    assert place(frame) == pytest.approx(codes[0], abs=6e-3)
    check_image(frame, layers, codes)
    start = place(frame)
    press(frame, "z", "ArrowRight", "Shift+ArrowUp")
    right, up = np.subtract(place(frame), start)
    assert up == pytest.approx(5 * right, abs=0.05)
    assert right > 0
    check_image(frame, layers, codes)
    before = place(frame)
    drag(page, frame, "z", -60, dy=40)
    assert (np.array(place(frame)) < before).all()
    check_image(frame, layers, codes)
    drag(page, frame, "z", 2000, dy=0)
    slider = frame.get_by_role("slider")
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    assert place(frame)[0] > codes[:, 0].max()
    check_image(frame, layers, codes)


def test_image_follows_touch(phone):
    layers, codes = trained()
    frame = show(phone, latent_explorer(layers, codes, LABELS))
    before = place(frame)
    swipe(phone, frame, "z", 50, dy=-30)
    assert (np.array(place(frame)) > before).all()
    check_image(frame, layers, codes)


def with_layer(number, weight, bias):
    layers, codes = trained()
    layers[number] = (np.array(weight), np.array(bias))
    return layers, codes, LABELS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], [[0, 0]], [1]), "end in 2 numbers: give layers that end in 784"),
        (with_layer(0, np.ones((64, 3)), np.ones(64)), r"layer 1 has a weight of shape \(64, 3\)"),
        (with_layer(1, np.ones((784, 64)), np.ones(64)), "layer 2 .* a bias of shape"),
        (with_layer(1, np.ones((10, 64)), np.ones(10)), "end in 10 numbers"),
        (with_layer(0, np.full((64, 2), np.nan), np.ones(64)), "layer 1 holds NaN"),
        (with_layer(0, np.full((64, 2), 1e5), np.ones(64)), "a number too large"),
        ((trained()[0], np.ones((301, 2)), np.ones(301)), r"codes has shape \(301, 2\)"),
        ((trained()[0], np.ones((5, 3)), np.ones(5)), r"codes has shape \(5, 3\)"),
        ((trained()[0], np.ones((0, 2)), np.ones(0)), r"codes has shape \(0, 2\)"),
        ((trained()[0], [[np.nan, 0]], [1]), "codes holds NaN"),
        ((trained()[0], [[0, 0]], [1, 2]), "give 1 digits"),
        ((trained()[0], [[0, 0]], [10]), "digits from 0 to 9"),
        ((trained()[0], [[0, 0]], [1.5]), "digits from 0 to 9"),
    ],
)
def test_a_bad_decoder_or_bad_codes_are_refused_with_a_remedy(arguments, words):
    with pytest.raises(ValueError, match=words):
        latent_explorer(*arguments)


# ---- from noise to the circle ----


def walk(y, sigmas, blur=0.05):
    """Where points are after the steps, with the posterior mean by scipy's Bessel functions."""
    for now, following in itertools.pairwise(sigmas):
        variance = now**2 + blur**2
        s = np.linalg.norm(y, axis=-1, keepdims=True) / variance
        on_circle = y / (s * variance) * ive(1, s) / ive(0, s)
        guess = y + now**2 / variance * (on_circle - y)
        y = guess + following / now * (y - guess)
    return y


@pytest.mark.parametrize("sigma", [0.5, 1.5, 3])
def test_steps_are_those_of_the_posterior_mean(page, sigma):
    frame = show(page, steps_explorer(sigma))
    y, sigmas = np.array(shown(frame, "given.points")), [*np.geomspace(sigma, 0.02, 40), 0]
    assert np.abs(y.mean(0)).max() < 3 * sigma / len(y) ** 0.5  # pure noise: one Gaussian
    assert y.std(0) == pytest.approx([sigma, sigma], rel=0.2)
    for step in (0, 1, 20, 40):
        put(frame, step=step)
        expected = walk(y, sigmas[: step + 1])
        np.testing.assert_allclose(shown(frame, "shown.here"), expected, atol=1e-6)
        radii = np.linalg.norm(expected, axis=1)
        assert numbers(frame, "sigma", "radius", "spread") == pytest.approx(
            [sigmas[step], radii.mean(), radii.std()], abs=6e-4
        )
    assert abs(radii.mean() - 1) < 0.06
    assert radii.std() == pytest.approx(0.05, rel=0.35)  # the blur, not a thin line


def test_the_slider_goes_through_the_steps_and_a_start_can_be_moved(page):
    frame = show(page, steps_explorer())
    press(frame, "step", "End")
    end = ["step 40 of 40", "What was noise lies on the blurred circle."]
    assert read(frame, "step-label", "verdict") == end
    press(frame, "step", "ArrowLeft")
    assert read(frame, "step-label") == ["step 39 of 40"]
    before = numbers(frame, "place")
    drag(page, frame, "y", -270, dy=-60)
    after = numbers(frame, "place")
    assert np.hypot(*after) == pytest.approx(1, abs=0.15)
    assert after[0] < before[0] - 0.5


@pytest.mark.parametrize("sigma", [0.4, 3.1, np.nan])
def test_bad_noise_of_the_steps_is_refused_with_a_remedy(sigma):
    with pytest.raises(ValueError, match=f"sigma is {sigma}: choose it between 0.5 and 3"):
        steps_explorer(sigma)


# ---- the window and the stamp ----


def convolved(image, kernel, stride, padding):
    return correlate2d(np.pad(image, padding), kernel, "valid")[::stride, ::stride]


def painted(image, kernel, stride, padding):
    apart = np.zeros((stride * (len(image) - 1) + 1,) * 2, dtype=int)
    apart[::stride, ::stride] = image
    full = convolve2d(apart, kernel)
    return full[padding : len(full) - padding, padding : len(full) - padding]


@pytest.mark.parametrize(("way", "by_scipy"), [("down", convolved), ("up", painted)])
def test_windows_and_stamps_are_those_of_scipy(page, way, by_scipy):
    frame = show(page, window_explorer())
    kernels, images = ("edge", "tent", "ones", "four"), ("seven", "even")
    for image, kernel, stride, padding in itertools.product(images, kernels, (1, 2), (0, 1)):
        put(frame, way=way, image=image, kernel=kernel, stride=stride, padding=padding)
        parts = (np.array(shown(frame, f"shown.{part}")) for part in ("first", "kernel", "result"))
        first, weights, result = parts
        np.testing.assert_array_equal(result, by_scipy(first, weights, stride, padding))
        assert numbers(frame, "size")[-1] == len(result)


@pytest.mark.parametrize(
    ("kernel", "words"),
    [("ones", "1, 2, 4 inside"), ("tent", "no checkerboard"), ("four", "no checkerboard")],
)
def test_equal_weights_of_three_paint_a_checkerboard_and_the_tent_does_not(page, kernel, words):
    frame = show(page, window_explorer())
    for choice, value in {"way": "up", "image": "even", "kernel": kernel, "stride": "2"}.items():
        frame.locator(f"#{choice} input[value='{value}']").check()
    assert words in read(frame, "verdict")[0]


def test_every_number_fits_into_its_cell(page):
    frame = show(page, window_explorer())
    overflowing = """() => { const texts = [...document.querySelectorAll("#drawing g rect + text")];
        return texts.filter(text => text.getBBox().width > text.previousSibling.getBBox().width)
          .map(text => text.textContent) }"""
    kernels, images = ("edge", "tent", "ones", "four"), ("seven", "even")
    for way, image, kernel in itertools.product(("down", "up"), images, kernels):
        put(frame, way=way, image=image, kernel=kernel)
        assert frame.evaluate(overflowing) == []


def test_the_edge_kernel_is_that_of_the_lecture_right_minus_left(page):
    kernel = np.array(shown(show(page, window_explorer()), "shown.kernel"))
    assert (kernel[:, 0] < 0).all()
    assert (kernel[:, 2] > 0).all()


def test_the_window_says_which_products_it_adds(page):
    frame = show(page, window_explorer())
    assert read(frame, "sum") == ["2·(−1) + 2·1 + 2·2 + 2·(−1) = 2"]
    press(frame, "window", "Shift+ArrowRight", "Shift+ArrowUp")
    assert shown(frame, "state.at") == [0, 5]
    drag(page, frame, "window", -70, dy=70)
    row, column = shown(frame, "state.at")
    assert row > 0
    assert column < 5
    assert numbers(frame, "sum")[-1] == shown(frame, f"shown.result[{row}][{column}]")


# ---- the threshold ----

RNG = np.random.default_rng(0)
SCORES = [RNG.gamma(4, 5, 500), RNG.gamma(9, 5, 300)]


def test_the_curve_and_the_precision_are_those_of_scikit_learn(page):
    frame = show(page, threshold_explorer(*SCORES))
    normal, anomalous = (np.array([float(f"{v:.4g}") for v in part]) for part in SCORES)
    labels, scores = np.repeat([0, 1], [500, 300]), np.concatenate([normal, anomalous])
    auroc = roc_auc_score(labels, scores)
    assert shown(frame, "shown.area") == pytest.approx(auroc, abs=1e-12)
    [written] = re.findall(r"AUROC ([\d.]+)", frame.locator("#drawing").text_content())
    assert float(written) == pytest.approx(auroc, abs=5.1e-5)
    first = np.quantile(normal, 0.95, method="inverted_cdf")
    assert numbers(frame, "t")[0] == pytest.approx(first, abs=0.051)
    for threshold, rate in itertools.product((0, 12.3, 30, 55), (0.001, 0.01, 0.3)):
        put(frame, threshold=threshold, rate=rate)
        weights = np.repeat([(1 - rate) / 500, rate / 300], [500, 300])
        precision = precision_score(labels, scores > threshold, sample_weight=weights)
        rates = [(normal > threshold).mean(), (anomalous > threshold).mean(), precision]
        exact = [shown(frame, f"shown.{name}") for name in ("f", "c", "precision")]
        assert exact == pytest.approx(rates, abs=1e-12)
        percents = numbers(frame, "false", "caught", "precision")
        assert percents == pytest.approx(100 * np.array(rates), abs=0.051)


def test_ties_count_one_half(page):
    frame = show(page, threshold_explorer([1, 2, 2, 3], [2, 3, 3]))
    expected = roc_auc_score([0, 0, 0, 0, 1, 1, 1], [1, 2, 2, 3, 2, 3, 3])
    assert shown(frame, "shown.area") == pytest.approx(expected, abs=1e-12)


def test_the_point_of_the_curve_moves_the_threshold(page):
    frame = show(page, threshold_explorer(*SCORES))
    before = numbers(frame, "t", "false")
    drag(page, frame, "point", 60)
    after = numbers(frame, "t", "false")
    assert after[0] < before[0]
    assert after[1] > before[1]
    press(frame, "rate", "ArrowRight")
    assert shown(frame, "state.rate") == pytest.approx(10**-1.99)


def test_the_base_rate_starts_where_it_is_told(page):
    frame = show(page, threshold_explorer(*SCORES, anomalies=0.5))
    f, c, precision = (shown(frame, f"shown.{name}") for name in ("f", "c", "precision"))
    assert precision == pytest.approx(c / (c + f), abs=1e-12)
    press(frame, "rate", "ArrowLeft")
    assert shown(frame, "state.rate") == pytest.approx(10**-0.31)
    with pytest.raises(ValueError, match=r"anomalies is 0\.6: choose it between"):
        threshold_explorer(*SCORES, anomalies=0.6)


def test_a_few_high_scores_do_not_squeeze_the_others(page):
    frame = show(page, threshold_explorer([*SCORES[0], 5000], SCORES[1]))
    assert shown(frame, "HIGH") < 120


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (([], [1]), r"scores_normal has shape \(0,\)"),
        (([1], [[1]]), r"scores_anomalous has shape \(1, 1\)"),
        (([1], np.ones(5001)), "give 1 to 5000 numbers"),
        (([1, -1], [1]), "scores_normal holds a negative score"),
        (([1], [np.nan]), "scores_anomalous holds a negative score, NaN"),
    ],
)
def test_bad_scores_are_refused_with_a_remedy(scores, words):
    with pytest.raises(ValueError, match=words):
        threshold_explorer(*scores)
