"""The explorers in Chromium: their numbers, keys, mouse and touch, and what stands in for them."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import open_browser, open_page, require_chromium
from conftest import ROOT
from scipy.special import ive
from scipy.stats import norm

from lecture_utils.divergences import kl_divergence, kl_divergence_quadrature
from lecture_utils.interactive import (
    denoising_explorer,
    eigenvalue_explorer,
    kl_explorer,
    latent_explorer,
    three_points_explorer,
)

require_chromium()

NUMBERS = ("kl-pq", "detour", "kl-qp", "js", "verdict")
WHERE = ("P-text", "Q-text", "R-text")
EIGENVALUES = [4, 2, 1.5, 1, 0.5, 0.2, 0.05]


def trained(seed=0):
    """Layers and codes as training might leave them, of the size that the course uses."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(64, 2)), rng.normal(size=64)
    pixels = rng.normal(size=(784, 64)) * 0.3, rng.normal(size=784)
    return [hidden, pixels], rng.normal(size=(300, 2)) * [3, 1]


LABELS = np.arange(300) % 10
EXPLORERS = [
    pytest.param(kl_explorer, id="kl"),
    pytest.param(three_points_explorer, id="three points"),
    pytest.param(lambda: eigenvalue_explorer(EIGENVALUES, 1), id="eigenvalues"),
    pytest.param(denoising_explorer, id="denoising"),
    pytest.param(lambda: latent_explorer(*trained(), LABELS), id="latent"),
]


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser):
    with open_page(browser) as page:
        yield page
        assert page.troubles == []


def show(page, explorer, before=""):
    """Put the explorer into a page and return its frame."""
    page.set_content(
        '<!doctype html><html lang="en"><title>Test</title><main><h1>Test</h1>'
        f"{before}{explorer.data}</main>"
    )
    page.frame_locator("iframe").get_by_role("slider").first.wait_for()
    return page.frames[-1]


def read(frame, names=NUMBERS):
    return [frame.locator(f"#{name}").inner_text() for name in names]


def expected(frame):
    """What the frame should say at the positions that it shows, by the library."""
    texts = [re.findall(r"[−\d.]+", text) for text in read(frame, WHERE)]
    p, q, r = (norm(*(float(value.replace("−", "-")) for value in text)).logpdf for text in texts)

    def m(x):
        return np.logaddexp(p(x), q(x)) - np.log(2)

    def kl(a, b):
        return kl_divergence_quadrature(a, b, -60, 60)

    direct, detour = kl(p, q), kl(p, r) + kl(r, q)
    how_long = "longer than" if detour > direct else "shorter than"
    if abs(detour - direct) < 5e-5:
        how_long = "as long as"
    return [
        *(f"{value:.4f}" for value in (direct, detour, kl(q, p), (kl(p, m) + kl(q, m)) / 2)),
        f"The detour is {how_long} the direct way.",
    ]


def drag(page, frame, name, dx, dy=0):
    box = frame.locator(f"#{name} .disc").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=8)
    page.mouse.up()


def press(frame, name, *keys):
    for key in keys:
        frame.locator(f"#{name}").press(key)


def test_the_start_has_the_known_numbers(page):
    frame = show(page, kl_explorer())
    shorter = "The detour is shorter than the direct way."
    assert read(frame) == ["0.5000", "0.2500", "0.5000", "0.1114", shorter]


@pytest.fixture
def still_page(browser):
    """A page that runs no script."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 1280, "height": 720}
    )
    yield context.new_page()
    context.close()


def without_frames(explorer):
    """As JupyterLab shows a notebook that is not trusted (test_lab looks at the real thing)."""
    return re.sub("<iframe.*?</iframe>|<style.*?</style>", "", explorer.data, flags=re.DOTALL)


def check_picture(page, explorer, *words):
    """The stand-in of an explorer is a picture that can be drawn, with `words` below it."""
    page.set_content(without_frames(explorer))
    image = page.get_by_role("img")
    assert image.is_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert "{" not in image.get_attribute("alt")
    caption = page.locator("figcaption").inner_text()
    assert [word for word in words if word not in caption] == []
    return image.get_attribute("alt")


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"mean_p": -2, "std_p": 0.5, "mean_q": 1.3, "std_q": 2, "mean_r": 3, "std_r": 0.7},
        {"mean_p": -4, "std_p": 0.3, "mean_q": 4, "std_q": 3, "mean_r": 4, "std_r": 3},
        {"mean_q": 0, "mean_r": 0},
    ],
)
def test_script_and_library_agree_before_anything_moves(page, still_page, start):
    explorer = kl_explorer(**start)
    drawn = show(page, explorer)
    still = show(still_page, explorer)
    assert read(drawn) == read(still) == expected(drawn)
    assert read(drawn, WHERE) == read(still, WHERE)
    for name in "PQR":
        curves = [
            frame.locator(f"#curve-{name}").get_attribute("points") for frame in (drawn, still)
        ]
        drawn_points, still_points = (np.array(re.split("[ ,]", c), dtype=float) for c in curves)
        np.testing.assert_allclose(drawn_points, still_points, atol=0.11)
        boxes = [frame.locator(f"#{name} .disc").bounding_box() for frame in (drawn, still)]
        assert boxes[0]["x"] == pytest.approx(boxes[1]["x"], abs=0.2)


def test_dragging_moves_one_mean_and_the_numbers_follow(page):
    frame = show(page, kl_explorer())
    before = read(frame, WHERE)
    for step, (name, dx) in enumerate([("Q", 150), ("P", -90), ("R", 240), ("R", -400)]):
        drag(page, frame, name, dx, dy=3)
        after = read(frame, WHERE)
        moved = [n for n, old, new in zip("PQR", before, after, strict=True) if old != new]
        assert moved == [name], step
        assert all(text.endswith("std 1.00") for text in after)
        assert read(frame) == expected(frame)
        before = after


def test_dragging_up_makes_narrower_and_down_wider(page):
    frame = show(page, kl_explorer())
    drag(page, frame, "Q", 3, dy=-60)
    assert "mean 1.00" in read(frame, WHERE)[1]
    assert 0.3 <= float(read(frame, WHERE)[1][-4:]) < 1
    assert read(frame) == expected(frame)
    drag(page, frame, "P", 0, dy=80)
    assert float(read(frame, WHERE)[0][-4:]) > 1
    assert read(frame) == expected(frame)


def test_overlapping_handles_can_both_be_taken(page):
    frame = show(page, kl_explorer(mean_q=0.2))
    drag(page, frame, "P", -100)
    assert read(frame, WHERE)[1] == "mean 0.20, std 1.00"
    assert "−" in read(frame, WHERE)[0]


def test_arrow_keys_move_the_focused_handle(page):
    frame = show(page, kl_explorer())
    press(frame, "Q", "ArrowRight", "Shift+ArrowRight", "ArrowUp")
    press(frame, "P", "ArrowLeft", "ArrowDown", "ArrowDown")
    press(frame, "R", "Shift+ArrowLeft", "Shift+ArrowUp")
    assert read(frame, WHERE) == [
        "mean −0.10, std 0.80",
        "mean 1.60, std 1.10",
        "mean 0.00, std 1.50",
    ]
    assert read(frame) == expected(frame)


def test_a_handle_stops_at_the_edge(page):
    frame = show(page, kl_explorer())
    press(frame, "Q", *["Shift+ArrowRight"] * 9, *["Shift+ArrowDown"] * 3)
    assert read(frame, WHERE)[1] == "mean 4.00, std 0.30"
    drag(page, frame, "P", -2000)
    assert read(frame, WHERE)[0] == "mean −4.00, std 1.00"
    assert read(frame) == expected(frame)


def test_equal_distributions_have_no_distance(page):
    frame = show(page, kl_explorer(mean_q=0.1, mean_r=0))
    press(frame, "Q", "ArrowLeft")
    same = "The detour is as long as the direct way."
    assert read(frame) == ["0.0000", "0.0000", "0.0000", "0.0000", same]


@pytest.fixture
def phone(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def swipe(page, frame, name, dx, dy=0):
    """Drag a handle with a finger that touches it beside its letter."""
    box = frame.locator(f"#{name} .disc").bounding_box()
    x, y = box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        event = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        touch.send("Input.dispatchTouchEvent", event)

    send("touchStart", (x, y))
    for step in range(1, 9):
        send("touchMove", (x + dx * step / 8, y + dy * step / 8))
    send("touchEnd")


def test_touch_moves_a_handle(phone):
    frame = show(phone, kl_explorer())
    swipe(phone, frame, "Q", 64)
    assert float(read(frame, WHERE)[1][5:9]) > 2
    swipe(phone, frame, "P", 0, dy=-80)  # the page around it does not scroll instead
    assert float(read(frame, WHERE)[0][-4:]) < 0.6
    assert read(frame) == expected(frame)


def test_screen_readers_hear_what_moved(page):
    frame = show(page, kl_explorer())
    press(frame, "Q", "ArrowLeft")
    slider = frame.get_by_role("slider", name="Q")
    attributes = ["now", "min", "max", "text"]
    heard = [slider.get_attribute(f"aria-value{name}") for name in attributes]
    assert heard == ["0.90", "-4", "4", "mean 0.90, std 1.00"]
    assert frame.locator("#verdict").get_attribute("aria-live") == "polite"
    frame.locator("#P").focus()
    page.keyboard.press("Tab")
    assert frame.locator(":focus").get_attribute("id") == "Q"


@pytest.mark.parametrize("explorer", EXPLORERS)
@pytest.mark.parametrize("width", [1280, 800, 390])
def test_everything_is_in_sight_and_accessible(browser, width, explorer):
    with open_page(browser, width=width) as page:
        frame = show(page, explorer())
        root = "document.documentElement"
        frame.wait_for_function(f"{root}.offsetHeight === innerHeight")  # as tall as its content
        assert frame.evaluate(f"{root}.scrollHeight <= innerHeight")
        assert frame.evaluate(f"{root}.scrollWidth <= innerWidth")
        assert page.locator("iframe").bounding_box()["height"] < 560
        axe_script = Axe().axe_script
        for part in page.frames:  # it looks into a frame only where it has been loaded
            part.evaluate(axe_script)
            part.evaluate("axe.configure({allowedOrigins: ['<unsafe_all_origins>']})")
        result = page.evaluate("axe.run()")
        assert "aria-required-attr" in {check["id"] for check in result["passes"]}  # of the sliders
        assert [violation["id"] for violation in result["violations"]] == []
        assert page.troubles == []


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_nothing_is_asked_of_the_outside_and_nothing_changes_between_runs(explorer):
    html = explorer().data
    assert "http" not in html
    assert "{{" not in html
    assert html == explorer().data


def test_the_picture_stands_in_where_frames_are_dropped(page):
    numbers = ("KL(P‖Q) = 0.5000", "KL(P‖R) + KL(R‖Q) = 0.2500", "JS(P, Q) = 0.1114")
    alt = check_picture(page, kl_explorer(), *numbers, "The detour is shorter than the direct way.")
    assert "P: mean 0.00, std 1.00" in alt


def test_the_picture_hides_where_the_explorer_is(page):
    show(page, kl_explorer())
    assert not page.locator("figure").is_visible()


@pytest.mark.parametrize(
    ("argument", "value"),
    [("std_p", 0), ("std_q", -1), ("std_r", np.nan), ("mean_p", np.nan), ("mean_q", 9)],
)
def test_bad_arguments_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}: choose it between"):
        kl_explorer(**{argument: value})


POINTS_NUMBERS = ("kl-pq", "detour", "difference", "verdict")


def expected_of_points(frame):
    """What the frame should say at the three places that it shows, by the library."""
    p, q, r = ([float(text), 1 - float(text)] for text in read(frame, WHERE))
    direct, detour = kl_divergence(p, q), kl_divergence(p, r) + kl_divergence(r, q)
    longer = detour - direct
    how_long = "longer than" if longer > 0 else "shorter than"
    if abs(longer) < 5e-5:
        how_long, longer = "as long as", 0.0
    return [
        f"{direct:.4f}",
        f"{detour:.4f}",
        f"{longer:.4f}".replace("-", "−"),
        f"The detour is {how_long} the direct way.",
    ]


@pytest.mark.parametrize(
    "start", [{}, {"p": 0.9, "q": 0.2, "r": 0.95}, {"p": 0.01, "q": 0.99, "r": 0.6}, {"r": 0.3}]
)
def test_points_script_picture_and_library_agree_at_the_start(page, still_page, start):
    explorer = three_points_explorer(**start)
    drawn = show(page, explorer)
    still = show(still_page, explorer)
    assert read(drawn, POINTS_NUMBERS) == read(still, POINTS_NUMBERS) == expected_of_points(drawn)


def test_points_move_with_keys_and_the_numbers_follow(page):
    frame = show(page, three_points_explorer())
    press(frame, "R", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert read(frame, WHERE) == ["0.30", "0.70", "0.71"]
    assert read(frame, POINTS_NUMBERS) == expected_of_points(frame)
    assert "longer" in read(frame, POINTS_NUMBERS)[-1]
    press(frame, "R", "ArrowLeft", "ArrowLeft")
    assert "shorter" in read(frame, POINTS_NUMBERS)[-1]
    press(frame, "P", *["Shift+ArrowLeft"] * 5)
    assert read(frame, WHERE) == ["0.01", "0.70", "0.69"]
    assert read(frame, POINTS_NUMBERS) == expected_of_points(frame)


def test_points_move_with_the_mouse(page):
    frame = show(page, three_points_explorer())
    for name, dx in (("R", 150), ("Q", -60), ("P", 200)):
        before = read(frame, WHERE)
        drag(page, frame, name, dx)
        moved = [n for n, a, b in zip("PQR", before, read(frame, WHERE), strict=True) if a != b]
        assert moved == [name]
        assert read(frame, POINTS_NUMBERS) == expected_of_points(frame)


def test_points_have_a_picture_where_frames_are_dropped(page):
    alt = check_picture(page, three_points_explorer(), "0.1695", "shorter than")
    assert "P at 0.30" in alt


def test_of_two_points_in_one_place_the_one_on_top_is_taken(page):
    frame = show(page, three_points_explorer(p=0.5, q=0.5))
    drag(page, frame, "Q", 100)
    assert read(frame, WHERE)[0] == "0.50"
    assert float(read(frame, WHERE)[1]) > 0.6


@pytest.mark.parametrize(("argument", "value"), [("p", 0), ("q", 1.2), ("r", np.nan)])
def test_points_outside_the_line_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}: choose it between"):
        three_points_explorer(**{argument: value})


# ---- the eigenvalues and the line ----

LINE_NUMBERS = ("threshold", "active", "kl", "error", "verdict")


def check_line(frame, eigenvalues=EIGENVALUES):
    """The numbers are those of the line that is shown, and as many bars are filled."""
    line = float(frame.locator("#line").get_attribute("aria-valuenow"))
    values = np.array(eigenvalues, dtype=float)
    active = sum(value > line for value in eigenvalues)
    threshold, shown_active, kl, error, verdict = read(frame, LINE_NUMBERS)
    assert float(threshold) == pytest.approx(line, rel=5e-4)
    assert shown_active == f"{active} of {len(eigenvalues)}"
    assert float(kl) == pytest.approx(np.log(np.maximum(values, line) / line).sum() / 2, abs=6e-5)
    kept_error, lost = line * active, values[active:].sum()
    assert float(error) == pytest.approx(kept_error + lost, rel=5e-4)
    assert verdict == f"Active latents: {active}. Switched off: {len(eigenvalues) - active}."
    fills = [bar.get_attribute("fill") for bar in frame.locator("#bars path").all()]
    assert fills == ["#0072B2"] * active + ["#fff"] * (len(eigenvalues) - active)
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
def test_line_script_and_library_agree_at_the_start(page, still_page, eigenvalues, threshold):
    explorer = eigenvalue_explorer(eigenvalues, threshold)
    drawn, still = show(page, explorer), show(still_page, explorer)
    assert read(drawn, LINE_NUMBERS) == read(still, LINE_NUMBERS)
    assert check_line(drawn, eigenvalues) == check_line(still, eigenvalues) == threshold
    boxes = [frame.locator("#line .disc").bounding_box() for frame in (drawn, still)]
    assert boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=0.2)


def test_line_is_known_where_it_can_be_worked_out(page):
    frame = show(page, eigenvalue_explorer([np.e**2, 1, 0.5], 1))
    assert read(frame, LINE_NUMBERS)[1:4] == ["1 of 3", "1.0000", "2.500"]


def test_line_moves_with_keys_between_its_ends(page):
    frame = show(page, eigenvalue_explorer(EIGENVALUES, 1))
    press(frame, "line", "ArrowDown")
    assert check_line(frame) == pytest.approx(0.9804)
    press(frame, "line", "Shift+ArrowUp", "ArrowRight")
    assert check_line(frame) == pytest.approx(1.25, rel=1e-3)
    press(frame, "line", *["Shift+ArrowUp"] * 9)
    assert check_line(frame) == 6
    assert read(frame, LINE_NUMBERS)[1:3] == ["0 of 7", "0.0000"]
    press(frame, "line", *["Shift+ArrowDown"] * 25)
    assert check_line(frame) == 0.0333
    assert read(frame, LINE_NUMBERS)[1] == "7 of 7"


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


def test_line_has_a_picture_where_frames_are_dropped(page):
    words = ("βσ² = 1.000", "3 of 7", "KL of the code: 1.2425 nats", "4.750", "Switched off: 4.")
    alt = check_picture(page, eigenvalue_explorer(EIGENVALUES, 1), *words)
    assert "a line at 1.000" in alt


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

GUESS_NUMBERS = ("sigma-text", "y-text", "size", "guess-size", "verdict")


def check_guess(frame):
    """The numbers and the dot are those of the posterior mean, here by summing over the circle."""
    sigma, where, size, guess_size, verdict = read(frame, GUESS_NUMBERS)
    y = complex(*(float(text.replace("−", "-")) for text in re.findall(r"[−\d.]+", where)))
    x = np.exp(2j * np.pi * np.arange(4000) / 4000)
    weights = np.exp((abs(abs(y) - 1) ** 2 - abs(y - x) ** 2) / (2 * float(sigma) ** 2))
    guess = (weights * x).sum() / weights.sum()
    assert float(size) == pytest.approx(abs(y), abs=6e-4)
    assert guess_size == f"{abs(guess):.3f}"
    where = "on the circle, to 3 decimals" if guess_size == "1.000" else "inside the circle"
    assert verdict == f"The best guess lies {where}."
    at = re.findall(r"[\d.]+", frame.locator("#guess").get_attribute("transform"))
    assert [float(value) for value in at] == pytest.approx(
        [200 + 95 * guess.real, 200 - 95 * guess.imag], abs=0.06
    )
    return y


def test_ratio_of_bessel_functions_is_exact(page):
    frame = show(page, denoising_explorer())
    s = [0, *np.geomspace(1e-6, 1e4, 201)]
    ratio = frame.evaluate(f"{json.dumps(s)}.map(besselRatio)")
    np.testing.assert_allclose(ratio, ive(1, s) / ive(0, s), atol=1e-12)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1])
def test_guess_script_and_library_agree_at_the_start(page, still_page, sigma):
    explorer = denoising_explorer(sigma)
    drawn, still = show(page, explorer), show(still_page, explorer)
    assert read(drawn, GUESS_NUMBERS) == read(still, GUESS_NUMBERS)
    assert check_guess(drawn) == check_guess(still) == 1.2 + 0.5j
    for name in ("arrow", "arrows"):
        paths = [frame.locator(f"#{name}").get_attribute("d") for frame in (drawn, still)]
        points = [np.array(re.findall(r"[\d.]+", path), dtype=float) for path in paths]
        np.testing.assert_allclose(*points, atol=0.11)


def test_guess_of_a_point_of_the_circle_is_inside(page):
    frame = show(page, denoising_explorer())
    press(frame, "y", *["ArrowLeft"] * 4, *["Shift+ArrowDown"] * 2)
    assert check_guess(frame) == 1
    assert read(frame, GUESS_NUMBERS)[2:4] == ["1.000", "0.954"]
    press(frame, "y", *["Shift+ArrowLeft"] * 4)
    assert check_guess(frame) == 0
    assert read(frame, GUESS_NUMBERS)[2:4] == ["0.000", "0.000"]


def test_guess_follows_the_noise(page):
    frame = show(page, denoising_explorer())
    press(frame, "sigma", "ArrowRight")
    assert read(frame, GUESS_NUMBERS)[0] == "0.31"
    check_guess(frame)
    slider = frame.get_by_role("slider", name="σ").bounding_box()
    page.mouse.click(slider["x"] + slider["width"] / 2, slider["y"] + slider["height"] / 2)
    assert 0.4 < float(read(frame, GUESS_NUMBERS)[0]) < 0.65
    check_guess(frame)
    press(frame, "sigma", "Home")
    press(frame, "y", *["Shift+ArrowRight"] * 4, *["Shift+ArrowUp"] * 6)
    assert check_guess(frame) == 2 + 2j
    assert read(frame, GUESS_NUMBERS)[-1] == "The best guess lies on the circle, to 3 decimals."


def test_guess_follows_the_mouse_in_both_directions(page):
    frame = show(page, denoising_explorer())
    drag(page, frame, "y", -100, dy=150)
    y = check_guess(frame)
    assert -0.1 < y.real < 0.3
    assert -1.4 < y.imag < -1
    drag(page, frame, "y", -900, dy=2)
    assert check_guess(frame).real == -2


def test_guess_follows_touch(phone):
    frame = show(phone, denoising_explorer())
    swipe(phone, frame, "y", -40, dy=-40)
    y = check_guess(frame)
    assert y.real < 0.9
    assert y.imag > 0.8


def test_guess_has_a_picture_where_frames_are_dropped(page):
    words = ("σ = 0.30", "y = (1.20, 0.50)", "|y| = 1.300", "|E[x|y]| = 0.965", "inside the circle")
    assert "a point 0.965 from the centre" in check_picture(page, denoising_explorer(), *words)


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
    return [float(text.replace("−", "-")) for text in read(frame, PLACE)]


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
    assert read(frame, ["nearest"]) == [str(LABELS[nearest])]


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
    assert max(*x, *y) < 400
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


def test_a_sentence_stands_in_for_the_plane(page, still_page):
    explorer = latent_explorer(*trained(), LABELS)
    page.set_content(without_frames(explorer))
    assert page.get_by_role("img").count() == 0
    assert "Run the cell" in page.locator("figcaption").inner_text()
    still = show(still_page, explorer)
    assert "Run the cell" in still.locator("noscript").inner_text()


def test_all_that_was_trained_is_what_nbval_leaves_out():
    config = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    [(regex, replace)] = re.findall("^regex: (.*)$\n^replace: (.*)$", config, flags=re.MULTILINE)

    def compared(html):
        return re.sub(regex, replace, html)

    one, other = (latent_explorer(*trained(seed), LABELS).data for seed in (0, 1))
    assert len(one) < 160_000
    assert one != other
    assert compared(one) == compared(other)
    assert len(compared(one)) > 6_000
    assert compared(one) != compared(latent_explorer(*trained(), LABELS[::-1]).data)
    other_figures = [kl_explorer(), three_points_explorer(), denoising_explorer()]
    assert all(compared(figure.data) == figure.data for figure in other_figures)


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


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_every_handle_keeps_the_arrows_from_the_slides(page, explorer):
    listener = "<script>heard = []; document.onkeydown = e => heard.push(e.key)</script>"
    frame = show(page, explorer(), before=listener)
    sliders = frame.get_by_role("slider").all()
    for slider in sliders:
        slider.press("ArrowRight")
        slider.press("ArrowUp")
        slider.press("PageDown")
    assert page.evaluate("heard") == ["PageDown"] * len(sliders)
