"""Figures to play with: self-contained HTML for JupyterLab, pages and slides, without a network."""

import base64
import math
import re
from html import escape
from pathlib import Path

import numpy as np
from IPython.display import HTML

from lecture_utils.divergences import kl_divergence_quadrature
from lecture_utils.plotting import P_STYLE, Q_STYLE, R_STYLE

TEMPLATE = Path(__file__).parent / "explorers" / "kl_explorer.html"
TITLE = "Is the detour over R longer than the direct way from P to Q?"
MEANS = (-4, 4)
STDS = (0.3, 3)
STYLES = {"P": P_STYLE, "Q": Q_STYLE, "R": R_STYLE}

# Where scripts are not trusted, JupyterLab drops <style>, <iframe> and <svg> and keeps <figure> and
# <img>: the picture then stands where the explorer would, and is hidden wherever the frame is there.
FRAGMENT = """<div class="kl-explorer">
<style>
.kl-explorer iframe {{ width: 100%; height: 480px; border: 0; display: block; background: #fff }}
.kl-explorer iframe ~ figure {{ display: none }}
</style>
<iframe title="{title}" srcdoc="{page}"></iframe>
<figure>
<img width="640" src="data:image/svg+xml;base64,{picture}" alt="{alt}">
<figcaption>{caption}</figcaption>
</figure>
</div>"""


def kl_explorer(mean_p=0, std_p=1, mean_q=1, std_q=1, mean_r=0.5, std_r=1):
    """Two Gaussians P and Q and an R between them, to be moved with mouse, touch or arrow keys.

    KL(P||Q), KL(Q||P), JS(P, Q) and the detour KL(P||R) + KL(R||Q), all in nats, follow. Where scripts
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
        When a mean or a standard deviation lies outside its range or is NaN.
    """
    gaussians = {"P": (mean_p, std_p), "Q": (mean_q, std_q), "R": (mean_r, std_r)}
    for name, (mean, std) in gaussians.items():
        for kind, value, (low, high) in (("mean", mean, MEANS), ("std", std, STDS)):
            if not low <= value <= high:
                raise ValueError(
                    f"{kind}_{name.lower()} = {value} is outside the figure: "
                    f"choose it between {low} and {high}"
                )
    numbers = starting_numbers(**gaussians)
    page = TEMPLATE.read_text(encoding="utf-8")
    for key, value in {**drawing(gaussians), **numbers}.items():
        page = page.replace("{{" + key + "}}", value)
    svg = re.search("<svg.*</svg>", page, re.DOTALL)[0]
    svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    where = "; ".join(f"{name} has {numbers[f'{name.lower()}_text']}" for name in gaussians)
    return HTML(
        FRAGMENT.format(
            title=TITLE,
            page=escape_attribute(page),
            picture=base64.b64encode(svg.encode()).decode(),
            alt=f"The densities of three Gaussians, R between P and Q. {where}.",
            caption=(
                f"KL(P‖Q) = {numbers['kl_pq']}, KL(Q‖P) = {numbers['kl_qp']}, "
                f"JS(P, Q) = {numbers['js']}, KL(P‖R) + KL(R‖Q) = {numbers['detour']}. "
                f"{numbers['verdict']} (Run the cell, or trust the notebook, to move P, Q and R.)"
            ),
        )
    )


def starting_numbers(P, Q, R):
    """What the explorer shows before anything is moved, computed by the library's quadrature."""

    def log_density(gaussian):
        mean, std = gaussian
        return lambda x: -(((x - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))

    def kl(log_p, log_q):
        return kl_divergence_quadrature(log_p, log_q, -40, 40)  # twelve stds beyond every mean

    log_p, log_q, log_r = log_density(P), log_density(Q), log_density(R)
    direct, first, second = kl(log_p, log_q), kl(log_p, log_r), kl(log_r, log_q)
    longer = first + second - direct

    def log_m(x):
        return np.logaddexp(log_p(x), log_q(x)) - np.log(2)

    return {
        "kl_pq": f"{direct:.4f}",
        "kl_qp": f"{kl(log_q, log_p):.4f}",
        "js": f"{(kl(log_p, log_m) + kl(log_q, log_m)) / 2:.4f}",
        "detour": f"{first:.4f} + {second:.4f} = {first + second:.4f}",
        "verdict": "The detour is as long as the direct way."
        if abs(longer) < 5e-5
        else f"The detour is {'longer' if longer > 0 else 'shorter'} than the direct way.",
    } | {
        f"{name}_text": f"mean {mean:.2f}, std {std:.2f}".replace("-", "−")
        for name, (mean, std) in (("p", P), ("q", Q), ("r", R))
    }
