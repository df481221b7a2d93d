"""From noise to the circle, step by step, with the exact denoiser."""

import numpy as np

from lecture_utils.explorers.frame import check_in_range, explorer

N_STEPS, LAST_SIGMA, N_POINTS, BLUR = 40, 0.02, 100, 0.05


def steps_explorer(sigma=2, seed=0):
    """Pure noise that becomes a blurred circle in 40 steps, with the exact posterior mean.

    The data are the unit circle with Gaussian noise of 0.05 in both coordinates. The noise level
    falls from sigma to 0.02 by the same factor at every step, and to zero at the last. A step
    leads from y to E[x|y] + (next sigma / sigma) (y - E[x|y]): it takes away the part of the noise
    that the next sigma has no room for. A slider goes through the steps; one start can be dragged.

    Parameters
    ----------
    sigma : float
        The standard deviation of the points at the start, from 0.5 to 3.
    seed : int
        Of the 100 points at the start.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When sigma is outside its range or NaN.
    """
    check_in_range("sigma", sigma, 0.5, 3)
    points = sigma * np.random.default_rng(seed).normal(size=(N_POINTS, 2))
    sigmas = np.append(np.geomspace(sigma, LAST_SIGMA, N_STEPS), 0)
    given = {"sigmas": sigmas.round(9).tolist(), "blur": BLUR, "points": points.round(3).tolist()}
    given |= {"y": [round(1.4 * sigma, 2), round(-0.6 * sigma, 2)]}
    return explorer(
        "steps", "Can a denoiser make points from noise?", given, scripts=("circle.js",)
    )
