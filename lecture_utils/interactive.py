"""Figures to play with: self-contained HTML for JupyterLab, pages and slides, without a network."""

import base64
import re
from pathlib import Path

import numpy as np
from IPython.display import HTML

from lecture_utils.divergences import kl_divergence_quadrature
from lecture_utils.plotting import P_STYLE, Q_STYLE, R_STYLE

TEMPLATE = Path(__file__).parent / "explorers" / "kl_explorer.html"
TITLE = "Is the detour over R longer than the direct way from P to Q?"
MEANS, STDS = (-4, 4), (0.3, 3)
STYLES = {"P": P_STYLE, "Q": Q_STYLE, "R": R_STYLE}

# Of a notebook that is not trusted, JupyterLab keeps <figure> and <img>, and drops <style>,
# <iframe> and <svg>. So the picture stands in there, and hides wherever the frame is shown.
FRAGMENT = """<div class="kl-explorer">
<style>
.kl-explorer iframe {{ width: 100%; height: 440px; border: 0; display: block; background: #fff }}
.kl-explorer iframe ~ figure {{ display: none }}
</style>
<iframe title="{title}" srcdoc="{page}"></iframe>
<figure>
<img width="640" src="data:image/svg+xml;base64,{picture}"
 alt="The densities of three Gaussians. P: {P_text}. Q: {Q_text}. R: {R_text}.">
<figcaption>P: {P_text}. Q: {Q_text}. R: {R_text}.<br>
KL(P‖Q) = {kl_pq}, KL(P‖R) + KL(R‖Q) = {detour}, KL(Q‖P) = {kl_qp}, JS(P, Q) = {js}, in nats.<br>
{verdict} Run the cell to move P, Q and R.</figcaption>
</figure>
</div>"""


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
            if not low <= value <= high:
                raise ValueError(
                    f"{what}_{name.lower()} is {value}: choose it between {low} and {high}, "
                    "which is what the figure shows"
                )
    words = _starting_words(**gaussians)
    page = TEMPLATE.read_text(encoding="utf-8")
    for key, value in {**words, **_starting_picture(gaussians)}.items():
        page = page.replace("{{" + key + "}}", value)
    svg = re.search("<svg.*</svg>", page, re.DOTALL)[0]
    svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return HTML(
        FRAGMENT.format(
            title=TITLE,
            page=page.replace("&", "&amp;").replace('"', "&quot;"),
            picture=base64.b64encode(svg.encode()).decode(),
            **words,
        )
    )


def _starting_words(P, Q, R):
    """What the explorer says before anything is moved, by the library's quadrature."""
    log_p, log_q, log_r = _log_density(*P), _log_density(*Q), _log_density(*R)

    def log_m(x):
        return np.logaddexp(log_p(x), log_q(x)) - np.log(2)

    def kl(log_a, log_b):
        return kl_divergence_quadrature(log_a, log_b, -40, 40)  # 12 std beyond every mean

    direct, detour = kl(log_p, log_q), kl(log_p, log_r) + kl(log_r, log_q)
    longer = detour - direct
    length = "as long as" if abs(longer) < 5e-5 else "longer than" if longer > 0 else "shorter than"
    return {
        "P_text": _position(*P),
        "Q_text": _position(*Q),
        "R_text": _position(*R),
        "kl_pq": f"{direct:.4f}",
        "detour": f"{detour:.4f}",
        "kl_qp": f"{kl(log_q, log_p):.4f}",
        "js": f"{(kl(log_p, log_m) + kl(log_q, log_m)) / 2:.4f}",
        "verdict": f"The detour is {length} the direct way.",
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
    values = {"title": TITLE, "means": str(list(MEANS)), "stds": str(list(STDS))}
    values |= {"low": str(MEANS[0]), "high": str(MEANS[1]), "grid": f"{250 - unit * 0.2:.1f}"}
    z = np.arange(-40, 41) / 10
    for name, (mean, std) in gaussians.items():
        x = 320 + 60 * (mean + std * z)
        y = 250 - unit * peak[name] * np.exp(-(z**2) / 2)
        height = 250 if name == "R" else y.min()  # R's handle lies on the axis, out of the way
        values |= {
            f"{name}_mean": f"{mean}",
            f"{name}_std": f"{std}",
            f"{name}_color": STYLES[name]["color"],
            f"{name}_points": " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)),
            f"{name}_at": f"{320 + 60 * mean:.1f} {height:.1f}",
        }
    return values
