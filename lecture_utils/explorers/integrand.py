"""What KL adds up, term by term: the dip below zero and what outweighs it."""

import numpy as np

from lecture_utils.explorers.frame import check_in_range, explorer
from lecture_utils.validation import as_distribution

MEANS, STDS = (-4, 4), (0.3, 3)


def integrand_explorer(p=(0.1, 0.1, 0.1, 0.1, 0.1, 0.5), mean_q=1, std_q=1):
    """Q moved against a fixed P, and the terms p log(p/q) that KL adds up, for a die or a density.

    The negative and the positive terms are added up apart; their sum, the KL in nats, is never
    negative. Of the die every face of Q can be dragged, the others share what is left in their
    old proportions; as densities, P is a fixed mixture and Q a Gaussian.

    Parameters
    ----------
    p : array_like, shape (n,)
        The die P, of 2 to 8 faces; Q starts as the fair one.
    mean_q, std_q : float
        Where the Gaussian starts: mean from -4 to 4, standard deviation from 0.3 to 3.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When p is no distribution over 2 to 8 faces, or the Gaussian is outside its range.
    """
    p = as_distribution(p)
    if p.ndim != 1 or not 2 <= p.size <= 8:
        raise ValueError(f"p has shape {np.shape(p)}: give from 2 to 8 probabilities in a row")
    check_in_range("mean_q", mean_q, *MEANS)
    check_in_range("std_q", std_q, *STDS)
    given = {"p": p.tolist(), "mean": mean_q, "std": std_q, "means": MEANS, "stds": STDS}
    return explorer("integrand", "Can the part below zero ever win?", given)
