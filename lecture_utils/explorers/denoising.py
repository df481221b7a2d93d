"""The best denoiser of points on a circle."""

from lecture_utils.explorers.frame import check_in_range, explorer

SIGMAS = (0.05, 1)
FIRST_Y = (1.2, 0.5)


def denoising_explorer(sigma=0.3):
    """The best denoiser for points of the unit circle, at a point to be moved and noise to choose.

    x is uniform on the circle, y is x plus Gaussian noise of size sigma in both coordinates. Arrows
    lead from y to E[x|y].

    Parameters
    ----------
    sigma : float
        The standard deviation of the noise at the start, from 0.05 to 1, rounded to two digits.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When sigma is outside that range or NaN.
    """
    check_in_range("sigma", sigma, *SIGMAS)
    given = {"sigma": round(float(sigma), 2), "sigmas": SIGMAS, "y": FIRST_Y}
    title = "Where does the best denoiser lead?"
    return explorer("denoising", title, given, scripts=("circle.js",))
