"""A threshold on scores of normal and anomalous examples, and what an alarm is worth."""

import numpy as np

from lecture_utils.explorers.frame import check_in_range, explorer

MOST_SCORES = 5000


def threshold_explorer(scores_normal, scores_anomalous, anomalies=0.01):
    """A threshold to be moved over the histograms of two sets of scores, and the ROC curve.

    With it move the false alarms, the anomalies caught and, at a base rate to be chosen, the
    precision: how many of the alarms are true. The scores, which may come from a trained network,
    stand in the attribute `data-trained`; nothing else in the output depends on them.

    Parameters
    ----------
    scores_normal, scores_anomalous : array_like, shape (n,) and (m,)
        At most 5,000 each, none negative; the higher, the more anomalous. Rounded to four digits.
        The threshold starts at the 95 % quantile of the normal ones.
    anomalies : float
        The base rate at the start, from 0.001 to 0.5.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When scores are missing, too many, negative or not finite, or the base rate is out of range.
    """
    check_in_range("anomalies", anomalies, 0.001, 0.5)
    parts = {"scores_normal": scores_normal, "scores_anomalous": scores_anomalous}
    words = [_as_text(name, scores) for name, scores in parts.items()]
    title = "How much is an alarm worth?"
    return explorer("threshold", title, {"anomalies": anomalies}, trained=" - ".join(words))


def _as_text(name, scores):
    """The scores from the smallest to the largest, parted by blanks."""
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1 or not 1 <= scores.size <= MOST_SCORES:
        raise ValueError(
            f"{name} has shape {scores.shape}: give 1 to {MOST_SCORES} numbers in a row"
        )
    if not (np.isfinite(scores) & (scores >= 0)).all():
        raise ValueError(
            f"{name} holds a negative score, NaN or infinity: give finite numbers >= 0"
        )
    return " ".join(f"{score:.4g}" for score in np.sort(scores))
