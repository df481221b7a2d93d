"""Claims: what a notebook says, checked where it says it."""

from lecture_utils.tables import table


def confirm(claim, holds, evidence=""):
    """Print `claim` with its evidence when it holds, and stop the notebook when it does not.

    Parameters
    ----------
    claim : str
        One sentence without a full stop, as a reader would say it.
    holds : bool
        The result of the check; it must be able to come out false.
    evidence : str
        What the check looked at, e.g. "10,000 pairs".

    Raises
    ------
    AssertionError
        When `holds` is false.
    """
    evidence = f"  ({evidence})" if evidence else ""
    if not holds:
        raise AssertionError(f"does not hold: {claim}{evidence}")
    print(f"✓ {claim}{evidence}")


def verdict(error, bound):
    """Say whether `error` is below `bound`, without its digits, which differ between processors."""
    return f"below {bound:.0e}: {'yes' if abs(error) < bound else 'NO'}"


def compare(rows):
    """Show the table that closes a lecture, and stop the notebook when a row disagrees.

    Parameters
    ----------
    rows : list of (what, measured, theory, tolerance)
        `tolerance` is absolute, in the unit of the row; for an estimate a few standard errors.

    Raises
    ------
    AssertionError
        When a measured value is further from theory than its tolerance.
    """
    table(
        ["", "measured", "theory", "agrees within"],
        [[what, measured, theory, f"{tol:.2g}"] for what, measured, theory, tol in rows],
        formats={"measured": ".4f", "theory": ".4f"},
    )
    wrong = [what for what, measured, theory, tol in rows if not abs(measured - theory) <= tol]
    if wrong:
        raise AssertionError(f"measured and theory disagree: {', '.join(wrong)}")
