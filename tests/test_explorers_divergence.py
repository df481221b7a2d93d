"""The explorers of Part 1: their values are the library's, scipy's and those worked out by hand."""

import re

import numpy as np
import pytest
from browser import require_chromium
from explorer_pages import drag, numbers, press, put, read, show, shown, swipe
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import rel_entr
from scipy.stats import norm

from lecture_utils.divergences import (
    kl_divergence,
    kl_divergence_gaussian,
    kl_divergence_quadrature,
    quadrature_grid,
)
from lecture_utils.explorers import (
    ellipses_explorer,
    integrand_explorer,
    js_explorer,
    kl_explorer,
    three_points_explorer,
    two_modes_explorer,
)

require_chromium()

# ---- Gaussians: what KL charges for, the route via R, and JS ----

WHERE = ("P-text", "Q-text", "R-text")
ROUTES = ("kl-pq", "via", "difference", "verdict")
STARTS = [
    {},
    {"mean_p": -2, "std_p": 0.5, "mean_q": 1.3, "std_q": 2},
    {"mean_p": -4, "std_p": 0.3, "mean_q": 4, "std_q": 3},
    {"mean_q": 0, "std_q": 0.5},
    {"mean_q": 0, "std_q": 2},
]


def kl(a, b):
    return kl_divergence_quadrature(a.logpdf, b.logpdf, -60, 60)


def gaussians(frame, *names):
    """The Gaussians that the frame says it shows."""
    return [norm(*numbers(frame, name)) for name in names]


def the_route(length):
    how_long = "longer than" if length > 0 else "shorter than"
    how_long = "as long as" if abs(length) < 5e-5 else how_long
    return f"The route via R is {how_long} the direct one."


def check_routes(frame):
    """The numbers are the library's at the positions that the frame shows."""
    p, q, r = gaussians(frame, *WHERE)
    direct, via = kl(p, q), kl(p, r) + kl(r, q)
    assert numbers(frame, *ROUTES[:3]) == pytest.approx([direct, via, direct - via], abs=6e-5)
    assert read(frame, "verdict") == [the_route(via - direct)]


def check_charge(frame):
    """KL both ways, and its areas above and below zero, each integrated apart."""
    p, q = gaussians(frame, *WHERE[:2])

    def term(x):
        return p.pdf(x) * (p.logpdf(x) - q.logpdf(x))

    low, high = p.mean() - 8 * p.std(), p.mean() + 8 * p.std()
    points = [x for x in crossings(p, q) if low < x < high]
    plus, minus = (
        quad(lambda x, sign=sign: max(0, sign * term(x)), low, high, points=points, limit=200)[0]
        for sign in (1, -1)
    )
    assert numbers(frame, "plus", "minus") == pytest.approx([plus, -minus], abs=3e-4)
    assert numbers(frame, "kl-pq", "kl-qp") == pytest.approx([kl(p, q), kl(q, p)], abs=6e-5)
    assert sum(numbers(frame, "plus", "minus")) == pytest.approx(kl(p, q), abs=2e-4)


def crossings(p, q):
    """Where two Gaussian densities cross."""
    a = 1 / (2 * q.var()) - 1 / (2 * p.var())
    b = p.mean() / p.var() - q.mean() / q.var()
    c = q.mean() ** 2 / (2 * q.var()) - p.mean() ** 2 / (2 * p.var()) + np.log(q.std() / p.std())
    return np.roots([a, b, c]).real


@pytest.mark.parametrize("start", STARTS)
def test_the_charge_is_right_at_the_start(page, start):
    frame = show(page, kl_explorer(**start))
    check_charge(frame)
    assert frame.locator("#R").count() == 0


def test_too_sure_costs_more_than_too_vague(page):
    costs = {}
    for std in (0.5, 2):
        frame = show(page, kl_explorer(mean_q=0, std_q=std))
        costs[std] = numbers(frame, "kl-pq")[0]
        assert ("too sure" if std < 1 else "too vague") in read(frame, "verdict")[0]
    assert costs[0.5] > 2 * costs[2]


def test_the_areas_are_drawn_on_their_side_of_zero(page):
    frame = show(page, kl_explorer())
    for part, side in (("above", 1), ("below", -1)):
        path = frame.locator(f"#{part}").get_attribute("d")
        points = np.array(re.findall(r"[\d.]+", path), dtype=float).reshape(-1, 2)
        zero = points[0, 1]
        assert (side * (zero - points[:, 1]) >= -0.05).all()
        assert abs(zero - points[:, 1]).max() > 10
    x = points[abs(points[:, 1] - zero) > 0.3, 0]  # the dip: where Q is above P, right of 0.5
    assert x.min() == pytest.approx(8 + 504 * 6.5 / 12, abs=5)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("r", [(0.5, 1), (3, 0.7), (4, 3)])
def test_routes_are_right_at_the_start(page, start, r):
    check_routes(show(page, kl_explorer(**start, mean_r=r[0], std_r=r[1])))


def test_routes_that_are_known(page):
    frame = show(page, kl_explorer(mean_r=0.5))
    shorter = "The route via R is shorter than the direct one."
    assert read(frame, *ROUTES) == ["0.5000", "0.2500", "0.2500", shorter]
    frame = show(page, kl_explorer(mean_q=0.1, mean_r=0))
    press(frame, "Q", "ArrowLeft")
    same = "The route via R is as long as the direct one."
    assert read(frame, *ROUTES) == ["0.0000", "0.0000", "0.0000", same]


def test_dragging_moves_one_mean_and_the_numbers_follow(page):
    frame = show(page, kl_explorer(mean_r=0.5))
    before = read(frame, *WHERE)
    for step, (name, dx) in enumerate([("Q", 150), ("P", -90), ("R", 240), ("R", -400)]):
        drag(page, frame, name, dx, dy=3)
        after = read(frame, *WHERE)
        moved = [n for n, old, new in zip("PQR", before, after, strict=True) if old != new]
        assert moved == [name], step
        assert all(text.endswith("std 1.00") for text in after)
        check_routes(frame)
        before = after


def test_dragging_up_makes_narrower_and_down_wider(page):
    frame = show(page, kl_explorer())
    drag(page, frame, "Q", 3, dy=-60)
    mean, std = numbers(frame, "Q-text")
    assert mean == 1
    assert 0.3 <= std < 1
    drag(page, frame, "P", 0, dy=80)
    assert numbers(frame, "P-text")[1] > 1
    check_charge(frame)


def test_overlapping_handles_can_both_be_taken(page):
    frame = show(page, kl_explorer(mean_q=0.2))
    drag(page, frame, "P", -100)
    assert read(frame, "Q-text") == ["mean 0.20, std 1.00"]
    assert numbers(frame, "P-text")[0] < 0


def test_arrow_keys_move_the_focused_handle_up_to_the_edge(page):
    frame = show(page, kl_explorer(mean_r=0.5))
    press(frame, "Q", "ArrowRight", "Shift+ArrowRight", "ArrowUp")
    press(frame, "P", "ArrowLeft", "ArrowDown", "ArrowDown")
    press(frame, "R", "Shift+ArrowLeft", "Shift+ArrowUp")
    assert numbers(frame, *WHERE) == [-0.1, 0.8, 1.6, 1.1, 0, 1.5]
    check_routes(frame)
    press(frame, "Q", *["Shift+ArrowRight"] * 6, *["Shift+ArrowDown"] * 3)
    assert read(frame, "Q-text") == ["mean 4.00, std 0.30"]
    drag(page, frame, "P", -2000)
    assert numbers(frame, "P-text")[0] == -4
    check_routes(frame)


def test_touch_moves_a_handle(phone):
    frame = show(phone, kl_explorer())
    swipe(phone, frame, "Q", 64)
    assert numbers(frame, "Q-text")[0] > 2
    swipe(phone, frame, "P", 0, dy=-80)  # the page around it does not scroll instead
    assert numbers(frame, "P-text")[1] < 0.6
    check_charge(frame)


def test_screen_readers_hear_what_moved(page):
    frame = show(page, kl_explorer())
    press(frame, "Q", "ArrowLeft")
    slider = frame.get_by_role("slider", name="Q")
    heard = [slider.get_attribute(f"aria-value{name}") for name in ("now", "min", "max", "text")]
    assert heard == ["0.90", "-4", "4", "mean 0.90, std 1.00"]
    frame.locator("#P").focus()
    page.keyboard.press("Tab")
    assert frame.locator(":focus").get_attribute("id") == "Q"


@pytest.mark.parametrize("start", STARTS)
def test_js_is_that_of_the_library(page, start):
    frame = show(page, js_explorer(**start))
    p, q = gaussians(frame, *WHERE[:2])

    class Middle:
        def logpdf(self, x):
            return np.logaddexp(p.logpdf(x), q.logpdf(x)) - np.log(2)

    js = (kl(p, Middle()) + kl(q, Middle())) / 2
    assert numbers(frame, "js", "share") == pytest.approx([js, 100 * js / np.log(2)], abs=0.051)
    assert numbers(frame, "js")[0] == pytest.approx(js, abs=6e-5)
    assert numbers(frame, "kl-pq", "kl-qp") == pytest.approx([kl(p, q), kl(q, p)], abs=6e-5)


def test_js_stays_below_its_cap(page):
    frame = show(page, js_explorer(mean_p=-4, std_p=0.3, mean_q=4, std_q=0.3))
    assert read(frame, "js", "share") == ["0.6931", "100.0 %"]
    assert "log 2" in read(frame, "verdict")[0]
    frame = show(page, js_explorer())
    heights = []
    for part in ("above", "cap"):
        path = frame.locator(f"#{part}").get_attribute("d")
        points = np.array(re.findall(r"[\d.]+", path), dtype=float).reshape(-1, 2)
        heights.append(380 - points[:, 1])
    area, cap = heights
    assert (area[1:-1] <= cap + 0.11).all()
    assert area.sum() / cap.sum() == pytest.approx(numbers(frame, "share")[0] / 100, abs=0.01)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("std_p", 0), ("std_q", -1), ("std_r", np.nan), ("mean_p", np.nan), ("mean_q", 9)],
)
def test_bad_arguments_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}: choose it between"):
        kl_explorer(**{"mean_r": 0, argument: value})


# ---- three points on a line ----


def check_points(frame):
    """The numbers are the library's at the three places that the frame shows."""
    p, q, r = ([v, 1 - v] for v in numbers(frame, *WHERE))
    direct, via = kl_divergence(p, q), kl_divergence(p, r) + kl_divergence(r, q)
    assert numbers(frame, *ROUTES[:3]) == pytest.approx([direct, via, direct - via], abs=6e-5)
    assert read(frame, "verdict") == [the_route(via - direct)]


@pytest.mark.parametrize(
    "start", [{}, {"p": 0.9, "q": 0.2, "r": 0.95}, {"p": 0.01, "q": 0.99, "r": 0.6}, {"r": 0.3}]
)
def test_points_are_right_at_the_start(page, start):
    check_points(show(page, three_points_explorer(**start)))


def test_points_move_with_keys_and_the_numbers_follow(page):
    frame = show(page, three_points_explorer())
    assert len(frame.locator("#curve").get_attribute("d")) < 10  # hidden until R moves
    press(frame, "R", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert len(frame.locator("#curve").get_attribute("d")) > 1000
    assert numbers(frame, *WHERE) == [0.3, 0.7, 0.71]
    assert "longer" in read(frame, "verdict")[0]
    press(frame, "R", "ArrowLeft", "ArrowLeft")
    assert "shorter" in read(frame, "verdict")[0]
    press(frame, "P", *["Shift+ArrowLeft"] * 5)
    assert numbers(frame, *WHERE) == [0.01, 0.7, 0.69]
    check_points(frame)


def test_points_move_with_the_mouse(page):
    frame = show(page, three_points_explorer())
    for name, dx in (("R", 150), ("Q", -60), ("P", 200)):
        before = read(frame, *WHERE)
        drag(page, frame, name, dx)
        moved = [n for n, a, b in zip("PQR", before, read(frame, *WHERE), strict=True) if a != b]
        assert moved == [name]
        check_points(frame)


def test_of_two_points_in_one_place_the_one_on_top_is_taken(page):
    frame = show(page, three_points_explorer(p=0.5, q=0.5))
    drag(page, frame, "Q", 100)
    p, q, _ = numbers(frame, *WHERE)
    assert p == 0.5
    assert q > 0.6


@pytest.mark.parametrize(("argument", "value"), [("p", 0), ("q", 1.2), ("r", np.nan)])
def test_points_outside_the_line_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} is {value}: choose it between"):
        three_points_explorer(**{argument: value})


# ---- the terms of KL, and the part below zero ----

DIE = [0.1, 0.1, 0.1, 0.1, 0.1, 0.5]


def check_die(frame, p):
    q = np.array(shown(frame, "state.q"))
    assert q.sum() == pytest.approx(1, abs=1e-12)
    terms = np.array(p) * np.log(np.array(p) / q)
    np.testing.assert_allclose(shown(frame, "shown.values"), terms, atol=1e-12)
    assert numbers(frame, "above-sum", "below-sum", "kl") == pytest.approx(
        [terms[terms > 0].sum(), -terms[terms < 0].sum(), rel_entr(p, q).sum()], abs=6e-5
    )
    assert numbers(frame, "negative")[0] == (terms < -1e-12).sum()


def test_no_face_makes_the_sum_negative(page):
    frame = show(page, integrand_explorer())
    check_die(frame, DIE)
    press(frame, "face-6", *["Shift+ArrowDown"] * 2)
    check_die(frame, DIE)
    assert shown(frame, "state.q[5]") == 0.01
    press(frame, "face-1", *["Shift+ArrowUp"] * 10)
    check_die(frame, DIE)
    drag(page, frame, "face-1", 0, dy=150)
    assert shown(frame, "state.q[0]") < 0.7
    check_die(frame, DIE)


def test_the_right_belief_costs_nothing(page):
    frame = show(page, integrand_explorer([0.5, 0.25, 0.25]))
    press(frame, "face-1", *["Shift+ArrowUp"] * 1, *["ArrowUp"] * 7)
    assert shown(frame, "state.q[0]") == 0.5
    assert read(frame, "kl", "verdict") == ["0.0000", "Q is P: nothing paid, nothing saved."]


@pytest.mark.parametrize(("mean", "std"), [(1, 1), (-1.5, 0.5), (3, 2)])
def test_the_dip_of_densities_is_outweighed(page, mean, std):
    frame = show(page, integrand_explorer(mean_q=mean, std_q=std))
    frame.locator("#as input[value='density']").check()
    x, width = np.linspace(-20, 20, 400_001, retstep=True)
    p = 0.6 * norm(-1.5, 0.7).pdf(x) + 0.4 * norm(1.8, 0.9).pdf(x)
    inside = p > 1e-300
    terms = p[inside] * (np.log(p[inside]) - norm(mean, std).logpdf(x[inside]))
    paid, saved = terms[terms > 0].sum() * width, -terms[terms < 0].sum() * width
    assert numbers(frame, "above-sum", "below-sum") == pytest.approx([paid, saved], abs=2e-3)
    assert numbers(frame, "kl")[0] == pytest.approx(paid - saved, abs=2e-3)
    press(frame, "Q", "Shift+ArrowLeft")
    assert numbers(frame, "kl")[0] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"p": [0.5, 0.4]}, "sum"),
        ({"p": [1]}, "give from 2 to 8 probabilities"),
        ({"mean_q": 5}, "mean_q is 5"),
        ({"std_q": np.nan}, "std_q is nan"),
    ],
)
def test_a_bad_die_is_refused_with_a_remedy(arguments, words):
    with pytest.raises(ValueError, match=words):
        integrand_explorer(**arguments)


# ---- two ellipses ----


def covariance(gaussian):
    t = np.deg2rad(gaussian["angle"])
    axes = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    return axes @ np.diag(np.square(gaussian["stds"])) @ axes.T


def check_ellipses(frame):
    """Both ways are the library's, and the parts are those of the formula."""
    states = shown(frame, "state")
    for way in ("pq", "qp"):
        a, b = (states[name.upper()] for name in way)
        cov_a, cov_b = covariance(a), covariance(b)
        d = np.subtract(b["mean"], a["mean"])
        parts = [
            (np.trace(np.linalg.solve(cov_b, cov_a)) - 2) / 2,
            d @ np.linalg.solve(cov_b, d) / 2,
            np.log(np.linalg.det(cov_b) / np.linalg.det(cov_a)) / 2,
        ]
        names = [f"{part}-{way}" for part in ("trace", "far", "volume")]
        assert numbers(frame, *names) == pytest.approx(parts, abs=6e-4)
        exact = kl_divergence_gaussian(a["mean"], cov_a, b["mean"], cov_b)
        assert numbers(frame, f"kl-{way}")[0] == pytest.approx(exact, abs=6e-4)


def test_ellipses_move_turn_and_stretch(page):
    frame = show(page, ellipses_explorer())
    check_ellipses(frame)
    for name, dx, dy in (
        ("Q", -80, 100),
        ("Q-axis-1", 30, -60),
        ("P-axis-2", 0, -40),
        ("P", 60, 20),
    ):
        before = shown(frame, "state")
        drag(page, frame, name, dx, dy)
        after = shown(frame, "state")
        assert after[name[0]] != before[name[0]]
        assert after["PQ".replace(name[0], "")] == before["PQ".replace(name[0], "")]
        check_ellipses(frame)
    press(frame, "Q-axis-1", "ArrowLeft", "Shift+ArrowUp")
    press(frame, "Q-axis-2", "Shift+ArrowDown")
    check_ellipses(frame)


def test_equal_ellipses_have_no_distance(page):
    frame = show(page, ellipses_explorer((0, 0), (1, 1), 20))
    assert read(frame, "kl-pq", "kl-qp", "verdict") == ["0.000", "0.000", "P and Q are equal."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mean_q": (4, 0)}, "mean_q is 4"),
        ({"stds_q": (1, 0)}, "stds_q is 0"),
        ({"angle_q": np.nan}, "angle_q is nan"),
    ],
)
def test_bad_ellipses_are_refused_with_a_remedy(arguments, words):
    with pytest.raises(ValueError, match=words):
        ellipses_explorer(**arguments)


# ---- two modes, and the fits both ways ----

X, WEIGHTS = quadrature_grid(-20, 20)


def log_mixture(a, b, weight):
    left, right = (
        np.log(1 - weight) + norm(a, 0.6).logpdf(X),
        np.log(weight) + norm(b, 0.6).logpdf(X),
    )
    return np.logaddexp(left, right)


def reverse_minima(log_p, a, b):
    """All local minima that scipy finds of KL(Q||P), as mean, std and KL, the best first."""

    def reverse(v):
        log_q = norm(v[0], np.exp(v[1])).logpdf(X)
        return WEIGHTS @ (np.exp(log_q) * (log_q - log_p))

    found = []
    for mean in (a + b) / 2 + np.linspace(-1.1, 1.1, 7) * (b - a) / 2:
        for log_std in (-0.7, np.log(np.hypot(0.6, (b - a) / 2))):
            fit = minimize(reverse, (mean, log_std), bounds=((-8, 8), (-2.5, 1.5)), tol=1e-12)
            if not any(np.allclose(fit.x, other.x, atol=1e-2) for other in found):
                found.append(fit)
    return [(fit.x[0], np.exp(fit.x[1]), fit.fun) for fit in sorted(found, key=lambda fit: fit.fun)]


@pytest.mark.parametrize(
    ("a", "b", "weight"),
    [
        *((-d / 2, d / 2, 0.65) for d in (5, 3.5, 3, 2.8, 2.4)),
        (-2, 2, 0.45),
        (-2, 1.5, 0.9),
        (-2.59, 2.59, 0.43),
    ],
)
def test_both_fits_are_those_of_scipy(page, a, b, weight):
    frame = show(page, two_modes_explorer(b - a, weight))
    put(frame, a=a, b=b)
    log_p = log_mixture(a, b, weight)
    expected = reverse_minima(log_p, a, b)
    found = shown(frame, "shown.found.map(q => [q.m, q.std, q.kl])")
    np.testing.assert_allclose(found, expected, atol=1e-3)
    written = [f"{part}{i}" for i in range(len(expected)) for part in ("mean", "std", "min")]
    np.testing.assert_allclose(numbers(frame, *written), np.ravel(expected), atol=6e-3)
    p = np.exp(log_p)
    mean = WEIGHTS @ (p * X)
    std = np.sqrt(WEIGHTS @ (p * (X - mean) ** 2))
    loss = WEIGHTS @ (p * (log_p - norm(mean, std).logpdf(X)))
    assert shown(frame, "[shown.mean, shown.std, shown.loss]") == pytest.approx(
        [mean, std, loss], abs=1e-4
    )


def test_the_words_count_the_minima(page):
    words = {
        5: "Two minima, one on each mode",
        3.5: "Three minima",
        2.4: "One minimum, and it covers",
    }
    for distance, beginning in words.items():
        frame = show(page, two_modes_explorer(distance))
        assert read(frame, "verdict")[0].startswith(beginning)


def test_the_start_decides_where_the_descent_ends(page):
    frame = show(page, two_modes_explorer())
    assert numbers(frame, "ends")[0] == pytest.approx(2.5, abs=0.01)
    drag(page, frame, "start", -120)
    assert numbers(frame, "ends")[0] == pytest.approx(-2.5, abs=0.01)


def test_modes_move_sideways_and_weights_up_and_down(page):
    frame = show(page, two_modes_explorer())
    drag(page, frame, "a", 50)
    assert shown(frame, "state.a") > -2.3
    assert shown(frame, "state.weight") == 0.65
    drag(page, frame, "b", 0, dy=40)
    assert shown(frame, "state.b") == 2.5
    assert shown(frame, "state.weight") < 0.65


@pytest.mark.parametrize(
    ("argument", "value"), [("distance", 9), ("weight", 0), ("weight", np.nan)]
)
def test_bad_modes_are_refused_with_a_remedy(argument, value):
    with pytest.raises(ValueError, match=f"{argument} is {value}: choose it between"):
        two_modes_explorer(**{argument: value})
