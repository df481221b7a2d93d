"""Figures to play with: self-contained HTML for JupyterLab, pages and slides, without a network."""

import base64
import re
from pathlib import Path

import numpy as np
from IPython.display import HTML

from lecture_utils.divergences import kl_divergence, kl_divergence_quadrature
from lecture_utils.plotting import P_STYLE, Q_STYLE, R_STYLE

TEMPLATES = Path(__file__).parent / "explorers"
STYLES = {"P": P_STYLE, "Q": Q_STYLE, "R": R_STYLE}

# Of a notebook that is not trusted, JupyterLab keeps <figure> and <img>, and drops <style>,
# <iframe> and <svg>. So the picture stands in there, and hides wherever the frame is shown.
FRAGMENT = """<div class="{name}">
<style>
.{name} iframe {{ width: 100%; height: 440px; border: 0; display: block; background: #fff }}
.{name} iframe ~ figure {{ display: none }}
</style>
<iframe title="{title}" srcdoc="{page}"></iframe>
<figure>
<img width="640" src="data:image/svg+xml;base64,{picture}"
 alt="{alt}">
<figcaption>{caption}<br>
{verdict} Run the cell to move P, Q and R.</figcaption>
</figure>
</div>"""

KL_TITLE = "Is the detour over R longer than the direct way from P to Q?"
KL_ALT = "The densities of three Gaussians. P: {P_text}. Q: {Q_text}. R: {R_text}."
KL_CAPTION = """P: {P_text}. Q: {Q_text}. R: {R_text}.<br>
KL(P‖Q) = {kl_pq}, KL(P‖R) + KL(R‖Q) = {detour}, KL(Q‖P) = {kl_qp}, JS(P, Q) = {js}, in nats."""
MEANS, STDS = (-4, 4), (0.3, 3)

POINTS_TITLE = "Where must R be for the detour over R to be shorter?"
POINTS_ALT = (
    "Three points on the line from 0 to 1: P at {P_text}, Q at {Q_text}, R at {R_text}. Below, the "
    "length of the detour for every place of R, and that of the direct way as a dotted line."
)
POINTS_CAPTION = """P at {P_text}, Q at {Q_text}, R at {R_text}.<br>
KL(P‖Q) = {kl_pq}, KL(P‖R) + KL(R‖Q) = {detour}, the difference is {difference}, in nats."""
PLACES = (0.01, 0.99)


def kl_explorer(mean_p=0, std_p=1, mean_q=1, std_q=1, mean_r=0.5, std_r=1):
    """Two Gaussians P and Q and an R between them, to be moved with mouse, touch or arrow keys.

    KL(P||Q), the detour KL(P||R) + KL(R||Q), KL(Q||P) and JS(P, Q) follow, in nats. Where scripts
    do not run, a picture of the start with its numbers stands in.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q, mean_r, std_r : float
        Where the three start: means from -4 to 4, standard deviations from 0.3 to 3.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a mean or a standard deviation is outside its range or NaN.
    """
    gaussians = {"P": (mean_p, std_p), "Q": (mean_q, std_q), "R": (mean_r, std_r)}
    for name, (mean, std) in gaussians.items():
        for what, value, (low, high) in (("mean", mean, MEANS), ("std", std, STDS)):
            _check_in_range(f"{what}_{name.lower()}", value, low, high)
    words = _starting_words(**gaussians)
    picture = _starting_picture(gaussians)
    return _fill("kl_explorer", KL_TITLE, KL_ALT, KL_CAPTION, words, picture)


def three_points_explorer(p=0.3, q=0.7, r=0.5):
    """Three distributions over two outcomes on a line, to be moved with mouse, touch or arrow keys.

    KL(P||Q), the detour KL(P||R) + KL(R||Q) and their difference follow, in nats, and a curve shows
    the detour for every place of R. Where scripts do not run, a picture of the start with its
    numbers stands in.

    Parameters
    ----------
    p, q, r : float
        Where the three start: the probability of the first outcome, from 0.01 to 0.99, rounded to
        two digits.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a probability is outside that range or NaN.
    """
    for name, value in (("p", p), ("q", q), ("r", r)):
        _check_in_range(name, value, *PLACES)
    places = {"P": round(p, 2), "Q": round(q, 2), "R": round(r, 2)}
    words, picture = _points_words(**places), _points_picture(places)
    return _fill("three_points", POINTS_TITLE, POINTS_ALT, POINTS_CAPTION, words, picture)


def _check_in_range(name, value, low, high):
    """Refuse a start that the figure could not show; NaN is in no range."""
    if not low <= value <= high:
        raise ValueError(
            f"{name} is {value}: choose it between {low} and {high}, which is what the figure shows"
        )


def _fill(name, title, alt, caption, words, picture):
    """The template `name` with its values, in a frame, and the picture of the start beside it."""
    page = (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")
    colors = {f"{point}_color": style["color"] for point, style in STYLES.items()}
    for key, value in {"title": title, **colors, **words, **picture}.items():
        page = page.replace("{{" + key + "}}", value)
    svg = re.search("<svg.*</svg>", page, re.DOTALL)[0]
    svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return HTML(
        FRAGMENT.format(
            name=name.replace("_", "-"),
            title=title,
            page=page.replace("&", "&amp;").replace('"', "&quot;"),
            picture=base64.b64encode(svg.encode()).decode(),
            alt=alt.format(**words),
            caption=caption.format(**words),
            verdict=words["verdict"],
        )
    )


def _verdict(longer):
    """What the explorers say about the detour that is so much longer than the direct way."""
    length = "as long as" if abs(longer) < 5e-5 else "longer than" if longer > 0 else "shorter than"
    return f"The detour is {length} the direct way."


def _starting_words(P, Q, R):
    """What the explorer says before anything is moved, by the library's quadrature."""
    log_p, log_q, log_r = _log_density(*P), _log_density(*Q), _log_density(*R)

    def log_m(x):
        return np.logaddexp(log_p(x), log_q(x)) - np.log(2)

    def kl(log_a, log_b):
        return kl_divergence_quadrature(log_a, log_b, -40, 40)  # 12 std beyond every mean

    direct, detour = kl(log_p, log_q), kl(log_p, log_r) + kl(log_r, log_q)
    return {
        "P_text": _position(*P),
        "Q_text": _position(*Q),
        "R_text": _position(*R),
        "kl_pq": f"{direct:.4f}",
        "detour": f"{detour:.4f}",
        "kl_qp": f"{kl(log_q, log_p):.4f}",
        "js": f"{(kl(log_p, log_m) + kl(log_q, log_m)) / 2:.4f}",
        "verdict": _verdict(detour - direct),
    }


def _log_density(mean, std):
    """The log-density of a Gaussian, as a function of x."""
    return lambda x: -(((x - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))


def _position(mean, std):
    """A Gaussian in words, with the minus sign that screen readers say."""
    return f"mean {mean:.2f}, std {std:.2f}".replace("-", "−")


def _starting_picture(gaussians):
    """The curves and handles before anything is moved, in the units of the template's viewBox."""
    peak = {name: 1 / (std * np.sqrt(2 * np.pi)) for name, (_, std) in gaussians.items()}
    unit = 220 / max(0.4, *peak.values())
    values = {"means": str(list(MEANS)), "stds": str(list(STDS))}
    values |= {"low": str(MEANS[0]), "high": str(MEANS[1]), "grid": f"{250 - unit * 0.2:.1f}"}
    z = np.arange(-40, 41) / 10
    for name, (mean, std) in gaussians.items():
        x = 320 + 60 * (mean + std * z)
        y = 250 - unit * peak[name] * np.exp(-(z**2) / 2)
        height = 250 if name == "R" else y.min()  # R's handle lies on the axis, out of the way
        values |= {
            f"{name}_mean": f"{mean}",
            f"{name}_std": f"{std}",
            f"{name}_points": " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)),
            f"{name}_at": f"{320 + 60 * mean:.1f} {height:.1f}",
        }
    return values


def _points_words(P, Q, R):
    """What the three points' explorer says before anything is moved, by the library."""
    direct, detour = _kl_two_outcomes(P, Q), _detour(P, Q, R)
    return {
        "P_text": f"{P:.2f}",
        "Q_text": f"{Q:.2f}",
        "R_text": f"{R:.2f}",
        "kl_pq": f"{direct:.4f}",
        "detour": f"{detour:.4f}",
        "difference": f"{detour - direct:z.4f}".replace("-", "−"),
        "verdict": _verdict(detour - direct),
    }


def _kl_two_outcomes(p, q):
    """KL between two distributions over two outcomes, given the probability of the first."""
    return kl_divergence([p, 1 - p], [q, 1 - q])


def _detour(p, q, r):
    return _kl_two_outcomes(p, r) + _kl_two_outcomes(r, q)


def _points_picture(places):
    """The points and the curve before anything is moved, in the units of the template's viewBox."""
    p, q, r = places.values()
    direct, detour = _kl_two_outcomes(p, q), _detour(p, q, r)
    top = max(1, 2 * direct, detour)
    grid = max(value for value in (0.5, 1, 2, 4) if value <= 0.8 * top)

    def y(length):
        return f"{300 - 170 * length / top:.1f}"

    curve = [(i / 200, _detour(p, q, i / 200)) for i in range(2, 199)]
    return {
        "low": str(PLACES[0]),
        "high": str(PLACES[1]),
        "grid": f"{grid}",
        "grid_y": y(grid),
        "direct_y": y(direct),
        "detour_y": y(detour),
        "curve": " ".join(f"{40 + 560 * x:.1f},{y(way)}" for x, way in curve if way <= top),
        **{f"{name}_x": f"{40 + 560 * place:.1f}" for name, place in places.items()},
    }
