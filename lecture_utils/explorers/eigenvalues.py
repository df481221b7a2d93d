"""Eigenvalues and the price of a latent: which ones a linear VAE keeps."""

import numpy as np

from lecture_utils.explorers.frame import check_in_range, explorer

MOST_EIGENVALUES = 64


def eigenvalue_explorer(eigenvalues, threshold):
    """Eigenvalues as bars and a line at beta sigma^2, to be moved with mouse, touch or arrow keys.

    A linear VAE with a decoder of fixed variance sigma^2 uses, at its optimum, the latents whose
    eigenvalue lies above the line. Their number, the KL of the code and the squared error of the
    reconstruction follow.

    Parameters
    ----------
    eigenvalues : array_like, shape (n,)
        Of the covariance of the data, from the largest to the smallest, at most 64.
    threshold : float
        Where the line, beta sigma^2, starts: within the range of the bars and a bit beyond.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When the eigenvalues are too many, negative, not in descending order or not finite, or the
        threshold is outside the range of the figure.
    """
    # Nine digits, more than the figure shows: the last ones differ between processors.
    eigenvalues = _as_eigenvalues(eigenvalues).round(9)
    low, high = _range_of_the_line(eigenvalues)
    check_in_range("threshold", threshold, low, high)
    given = {"eigenvalues": eigenvalues.tolist(), "threshold": float(threshold)}
    given |= {"low": low, "high": high}
    return explorer("eigenvalues", "Which latents are worth their price?", given)


def _as_eigenvalues(eigenvalues):
    """The eigenvalues as an array, refused where the figure could not show them."""
    eigenvalues = np.asarray(eigenvalues, dtype=float)
    if eigenvalues.ndim != 1 or not 1 <= eigenvalues.size <= MOST_EIGENVALUES:
        raise ValueError(
            f"eigenvalues has shape {eigenvalues.shape}: give from 1 to {MOST_EIGENVALUES} numbers "
            "in a row"
        )
    if not np.isfinite(eigenvalues).all() or eigenvalues[0] <= 0 or (eigenvalues < 0).any():
        raise ValueError(
            "eigenvalues must be finite, none negative and the first positive: put those that "
            "rounding made negative to 0"
        )
    if (np.diff(eigenvalues) > 0).any():
        raise ValueError("eigenvalues must be in descending order: sort them, the largest first")
    return eigenvalues


def _range_of_the_line(eigenvalues):
    """From a bit under the smallest eigenvalue to a bit above the largest.

    Six powers of ten below the largest is where the figure ends: eigenvalues that are 0 but for
    rounding would squeeze all others together.
    """
    visible = eigenvalues[eigenvalues >= 1e-6 * eigenvalues[0]]
    return float(f"{visible[-1] / 1.5:.3g}"), float(f"{visible[0] * 1.5:.3g}")
