"""From noise to the circle, step by step, with the exact denoiser."""

import numpy as np

from lecture_utils.explorers.frame import check_in_range, explorer

N_STEPS, LAST_SIGMA, N_POINTS = 40, 0.02, 120


def steps_explorer(sigma=1.2, seed=0):
    """Noise that becomes points of the unit circle in 40 steps, with the exact posterior mean.

    The noise falls from sigma to 0.02 by the same factor at every step. A step leads from y to
    E[x|y] + (next sigma / sigma) (y - E[x|y]): it takes away the part of the noise that the next
    sigma has no room for. A slider goes through the steps; one start can be dragged.

    Parameters
    ----------
    sigma : float
        The standard deviation of the noise at the start, from 0.5 to 3.
    seed : int
        Of the 120 points and their noise.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When sigma is outside its range or NaN.
    """
    check_in_range("sigma", sigma, 0.5, 3)
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, N_POINTS)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points += sigma * rng.normal(size=points.shape)
    given = {"sigmas": np.geomspace(sigma, LAST_SIGMA, N_STEPS + 1).round(9).tolist()}
    given |= {
        "points": points.round(3).tolist(),
        "y": [round(1.4 * sigma, 2), round(-0.6 * sigma, 2)],
    }
    return explorer(
        "steps", "Can a denoiser make points from noise?", given, scripts=("circle.js",)
    )
