"""Explorers: figures to play with, for JupyterLab, pages and slides, without a network.

Each is one module and one page; `frame` holds what all share. In a deck of reveal.js an explorer
leaves out its heading, fills its frame with larger type and hands on the keys of the slides.
"""

from lecture_utils.explorers.denoising import denoising_explorer
from lecture_utils.explorers.eigenvalues import eigenvalue_explorer
from lecture_utils.explorers.ellipses import ellipses_explorer
from lecture_utils.explorers.integrand import integrand_explorer
from lecture_utils.explorers.kl import js_explorer, kl_explorer
from lecture_utils.explorers.latent import latent_explorer
from lecture_utils.explorers.steps import steps_explorer
from lecture_utils.explorers.three_points import three_points_explorer
from lecture_utils.explorers.threshold import threshold_explorer
from lecture_utils.explorers.two_modes import two_modes_explorer
from lecture_utils.explorers.window import window_explorer

__all__ = [
    "denoising_explorer",
    "eigenvalue_explorer",
    "ellipses_explorer",
    "integrand_explorer",
    "js_explorer",
    "kl_explorer",
    "latent_explorer",
    "steps_explorer",
    "three_points_explorer",
    "threshold_explorer",
    "two_modes_explorer",
    "window_explorer",
]
