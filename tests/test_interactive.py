"""The explorers in Chromium: their numbers, keys, mouse and touch, and what stands in for them."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import open_browser, open_page, require_chromium
from scipy.stats import norm

from lecture_utils.divergences import kl_divergence, kl_divergence_quadrature
from lecture_utils.interactive import kl_explorer, three_points_explorer

require_chromium()

NUMBERS = ("kl-pq", "detour", "kl-qp", "js", "verdict")
WHERE = ("P-text", "Q-text", "R-text")


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
    page.frame_locator("iframe").locator("#P").wait_for()
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


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"mean_p": -2, "std_p": 0.5, "mean_q": 1.3, "std_q": 2, "mean_r": 3, "std_r": 0.7},
        {"mean_p": -4, "std_p": 0.3, "mean_q": 4, "std_q": 3, "mean_r": 4, "std_r": 3},
        {"mean_q": 0, "mean_r": 0},
    ],
)
def test_script_and_library_agree_before_anything_moves(browser, page, start):
    explorer = kl_explorer(**start)
    drawn = show(page, explorer)
    context = browser.new_context(java_script_enabled=False, viewport=page.viewport_size)
    still = show(context.new_page(), explorer)
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
    context.close()


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


def test_touch_moves_a_handle(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    frame = show(page, kl_explorer())
    box = frame.locator("#Q .disc").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(page)

    def send(kind, *points):
        event = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        touch.send("Input.dispatchTouchEvent", event)

    send("touchStart", (x, y))
    for step in range(1, 9):
        send("touchMove", (x + 8 * step, y))
    send("touchEnd")
    assert float(read(frame, WHERE)[1][5:9]) > 2
    assert read(frame) == expected(frame)
    context.close()


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


def test_slides_around_it_get_the_remote_control_but_not_the_arrows(page):
    listener = "<script>heard = []; document.onkeydown = e => heard.push(e.key)</script>"
    frame = show(page, kl_explorer(), before=listener)
    press(frame, "Q", "ArrowRight", "ArrowUp", "PageDown", "PageUp")
    assert page.evaluate("heard") == ["PageDown", "PageUp"]


@pytest.mark.parametrize("explorer", [kl_explorer, three_points_explorer])
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


@pytest.mark.parametrize("explorer", [kl_explorer, three_points_explorer])
def test_nothing_is_asked_of_the_outside_and_nothing_changes_between_runs(explorer):
    html = explorer().data
    assert "http" not in html
    assert "{{" not in html
    assert html == explorer().data


def test_the_picture_stands_in_where_frames_are_dropped(page):
    """As JupyterLab shows a notebook that is not trusted (test_lab looks at the real thing)."""
    html = re.sub("<iframe.*?</iframe>|<style.*?</style>", "", kl_explorer().data, flags=re.DOTALL)
    page.set_content(html)
    image = page.get_by_role("img")
    assert image.is_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert "P: mean 0.00, std 1.00" in image.get_attribute("alt")
    words = page.locator("figcaption").inner_text()
    for number in ("KL(P‖Q) = 0.5000", "KL(P‖R) + KL(R‖Q) = 0.2500", "JS(P, Q) = 0.1114"):
        assert number in words


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
def test_points_script_picture_and_library_agree_at_the_start(browser, page, start):
    explorer = three_points_explorer(**start)
    drawn = show(page, explorer)
    context = browser.new_context(java_script_enabled=False, viewport=page.viewport_size)
    still = show(context.new_page(), explorer)
    assert read(drawn, POINTS_NUMBERS) == read(still, POINTS_NUMBERS) == expected_of_points(drawn)
    context.close()


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


def test_points_keep_the_arrows_from_the_slides(page):
    listener = "<script>heard = []; document.onkeydown = e => heard.push(e.key)</script>"
    frame = show(page, three_points_explorer(), before=listener)
    press(frame, "R", "ArrowRight", "ArrowUp", "PageDown")
    assert page.evaluate("heard") == ["PageDown"]


def test_points_have_a_picture_where_frames_are_dropped(page):
    html = three_points_explorer().data
    page.set_content(re.sub("<iframe.*?</iframe>|<style.*?</style>", "", html, flags=re.DOTALL))
    image = page.get_by_role("img")
    assert image.is_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert "0.1695" in page.locator("figcaption").inner_text()


@pytest.mark.parametrize(("argument", "value"), [("p", 0), ("q", 1.2), ("r", np.nan)])
def test_points_outside_the_line_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}: choose it between"):
        three_points_explorer(**{argument: value})
