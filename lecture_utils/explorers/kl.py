"""Two Gaussians to be moved: what KL charges for, the route via a third one, and the cap of JS."""

from lecture_utils.explorers.frame import check_in_range, explorer

MEANS, STDS = (-4, 4), (0.3, 3)


def kl_explorer(mean_p=0, std_p=1, mean_q=1, std_q=1, mean_r=None, std_r=1):
    """Two Gaussians P and Q, to be moved with mouse, touch or arrow keys.

    Below them is the integrand p log(p/q), its positive and negative areas told apart. With R, the
    third one, there is instead the route via R, KL(P||R) + KL(R||Q), beside the direct one. All in
    nats.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q, mean_r, std_r : float
        Where they start: means from -4 to 4, standard deviations from 0.3 to 3. Without `mean_r`
        there is no R.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a mean or a standard deviation is outside its range or NaN.
    """
    gaussians = {"P": (mean_p, std_p), "Q": (mean_q, std_q)}
    if mean_r is None:
        return _explorer("kl", "Is it worse to be too sure, or too vague?", gaussians)
    gaussians["R"] = (mean_r, std_r)
    return _explorer("via", "Can the route via R be shorter than the direct one?", gaussians)


def js_explorer(mean_p=-1, std_p=1, mean_q=2, std_q=1):
    """Two Gaussians P and Q to be moved, their mixture M, and what JS(P||Q) adds up.

    Below them is the integrand of JS, and over it the curve m(x) log 2 that it never crosses and
    whose area is log 2.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q : float
        Where they start: means from -4 to 4, standard deviations from 0.3 to 3.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a mean or a standard deviation is outside its range or NaN.
    """
    gaussians = {"P": (mean_p, std_p), "Q": (mean_q, std_q)}
    return _explorer("js", "What drives JS up?", gaussians)


def _explorer(kind, title, gaussians):
    for name, (mean, std) in gaussians.items():
        check_in_range(f"mean_{name.lower()}", mean, *MEANS)
        check_in_range(f"std_{name.lower()}", std, *STDS)
    starts = {name: {"mean": mean, "std": std} for name, (mean, std) in gaussians.items()}
    given = {"kind": kind, "starts": starts, "means": MEANS, "stds": STDS}
    return explorer(kind, title, given, page="kl")
