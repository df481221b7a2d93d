"""A target with two modes, and one Gaussian fitted to it both ways."""

from lecture_utils.explorers.frame import check_in_range, explorer


def two_modes_explorer(distance=5, weight=0.65):
    """A mixture P of two Gaussians to be moved, and the Gaussian Q that fits it, both ways.

    The forward fit, least KL(P||Q), has the mean and the standard deviation of P. Of the reverse
    fit, least KL(Q||P), every local minimum is found by Newton's method from several starts and
    marked on the profile of the KL over the mean of Q. The modes have standard deviation 0.6.

    Parameters
    ----------
    distance : float
        Of the two modes at the start, around 0, from 0.2 to 8.
    weight : float
        Of the right one at the start, from 0.05 to 0.95.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When an argument is outside its range or NaN.
    """
    check_in_range("distance", distance, 0.2, 8)
    check_in_range("weight", weight, 0.05, 0.95)
    given = {"a": -distance / 2, "b": distance / 2, "weight": weight, "start": 0.2}
    return explorer("two_modes", "Does the reverse fit always seek one mode?", given)
