"""Two Gaussians in the plane, and the three parts of their KL, both ways."""

from lecture_utils.explorers.frame import check_in_range, explorer

PLACES, STDS = (-3, 3), (0.2, 2.5)


def ellipses_explorer(mean_q=(1.4, 0.6), stds_q=(1.6, 0.6), angle_q=35):
    """Two Gaussians in the plane, to be moved with mouse, touch or arrow keys.

    Their KL, both ways, in its three parts, in nats: too wide or too narrow, (tr(A) - 2) / 2 with
    A = cov_q^-1 cov_p; too far, half the squared Mahalanobis distance; wrong volume,
    log(det cov_q / det cov_p) / 2. P starts as N(0, I).

    Parameters
    ----------
    mean_q : pair of float
        Each from -3 to 3.
    stds_q : pair of float
        Standard deviations along the two axes of Q's ellipse, each from 0.2 to 2.5.
    angle_q : float
        Of the first axis to the horizontal, from -90 to 90 degrees.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When an argument is outside its range or NaN.
    """
    for value in mean_q:
        check_in_range("mean_q", value, *PLACES)
    for value in stds_q:
        check_in_range("stds_q", value, *STDS)
    check_in_range("angle_q", angle_q, -90, 90)
    starts = {
        "P": {"mean": [0, 0], "stds": [1, 1], "angle": 0},
        "Q": {"mean": list(mean_q), "stds": list(stds_q), "angle": angle_q},
    }
    given = {"starts": starts, "places": PLACES, "stds": STDS}
    return explorer("ellipses", "Too wide, too far, or the wrong volume?", given)
