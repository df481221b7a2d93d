"""Three distributions over two outcomes, as points of a line, and the route via the third."""

from lecture_utils.explorers.frame import check_in_range, explorer

PLACES = (0.01, 0.99)


def three_points_explorer(p=0.3, q=0.7, r=0.5):
    """Three distributions over two outcomes on a line, to be moved with mouse, touch or arrow keys.

    KL(P||Q), the route KL(P||R) + KL(R||Q) and their difference follow, in nats. The curve of the
    route for every place of R appears as soon as R moves.

    Parameters
    ----------
    p, q, r : float
        Where the three start: the probability of the first outcome, from 0.01 to 0.99, rounded to
        two digits.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a probability is outside that range or NaN.
    """
    for name, value in (("p", p), ("q", q), ("r", r)):
        check_in_range(name, value, *PLACES)
    places = {"P": round(p, 2), "Q": round(q, 2), "R": round(r, 2)}
    title = "Where must R be for the route via R to be shorter?"
    return explorer("three_points", title, {"places": places, "range": PLACES})
