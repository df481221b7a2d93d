"""Figures to play with: self-contained HTML for JupyterLab, pages and slides, without a network."""

import base64
import math
import re
from pathlib import Path

import numpy as np
from IPython.display import HTML
from scipy.special import ive

from lecture_utils.divergences import kl_divergence, kl_divergence_quadrature
from lecture_utils.plotting import P_STYLE, Q_STYLE, R_STYLE

TEMPLATES = Path(__file__).parent / "explorers"
STYLES = {"P": P_STYLE, "Q": Q_STYLE, "R": R_STYLE}

# Of a notebook that is not trusted, JupyterLab keeps <figure> and <img>, and drops <style>,
# <iframe> and <svg>. So the picture stands in there, and hides wherever the frame is shown.
FRAGMENT = """<div class="{name}">
<style>
.{name} iframe {{ width: 100%; height: 440px; border: 0; display: block; background: #fff }}
.{name} iframe ~ figure {{ display: none }}
</style>
<iframe title="{title}" srcdoc="{page}"></iframe>
<figure>
{picture}<figcaption>{caption}</figcaption>
</figure>
</div>"""
PICTURE = """<img width="{width}" src="data:image/svg+xml;base64,{svg}"
 alt="{alt}">
"""

KL_TITLE = "Is the detour over R longer than the direct way from P to Q?"
KL_ALT = "The densities of three Gaussians. P: {P_text}. Q: {Q_text}. R: {R_text}."
KL_CAPTION = """P: {P_text}. Q: {Q_text}. R: {R_text}.<br>
KL(P‖Q) = {kl_pq}, KL(P‖R) + KL(R‖Q) = {detour}, KL(Q‖P) = {kl_qp}, JS(P, Q) = {js}, in nats.<br>
{verdict} Run the cell to move P, Q and R."""
MEANS, STDS = (-4, 4), (0.3, 3)

POINTS_TITLE = "Where must R be for the detour over R to be shorter?"
POINTS_ALT = (
    "Three points on the line from 0 to 1: P at {P_text}, Q at {Q_text}, R at {R_text}. Below, the "
    "length of the detour for every place of R, and that of the direct way as a dotted line."
)
POINTS_CAPTION = """P at {P_text}, Q at {Q_text}, R at {R_text}.<br>
KL(P‖Q) = {kl_pq}, KL(P‖R) + KL(R‖Q) = {detour}, the difference is {difference}, in nats.<br>
{verdict} Run the cell to move P, Q and R."""
PLACES = (0.01, 0.99)

EIGENVALUES_TITLE = "Which latents are worth their price?"
EIGENVALUES_ALT = (
    "The eigenvalues as bars on a logarithmic scale, the largest first, and a line at "
    "{threshold_text}. Filled bars reach above the line: {active}."
)
EIGENVALUES_CAPTION = """βσ² = {threshold_text}. Active latents: {active}.<br>
KL of the code: {kl} nats. Squared error of the reconstruction: {error}.<br>
{verdict} Run the cell to move the line."""
MOST_EIGENVALUES = 64

DENOISING_TITLE = "Where does the best denoiser lead?"
DENOISING_ALT = (
    "The unit circle. Arrows lead from points of the plane to what the best denoiser makes of "
    "them; the thick one leads from y = {y_text} to a point {guess_size} from the centre."
)
DENOISING_CAPTION = """σ = {sigma}, y = {y_text}, |y| = {size}, |E[x|y]| = {guess_size}.<br>
{verdict} Run the cell to move y and to change σ."""
SIGMAS = (0.05, 1)
FIRST_Y = (1.2, 0.5)

LATENT_TITLE = "What does the decoder draw here?"
LATENT_CAPTION = """The picture above in the notebook shows the plane of the two latent numbers.
Run the cell to move a point over it and see what the decoder draws."""
MOST_CODES = 300


def kl_explorer(mean_p=0, std_p=1, mean_q=1, std_q=1, mean_r=0.5, std_r=1):
    """Two Gaussians P and Q and an R between them, to be moved with mouse, touch or arrow keys.

    KL(P||Q), the detour KL(P||R) + KL(R||Q), KL(Q||P) and JS(P, Q) follow, in nats. Where scripts
    do not run, a picture of the start with its numbers stands in.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q, mean_r, std_r : float
        Where the three start: means from -4 to 4, standard deviations from 0.3 to 3.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When a mean or a standard deviation is outside its range or NaN.
    """
    gaussians = {"P": (mean_p, std_p), "Q": (mean_q, std_q), "R": (mean_r, std_r)}
    for name, (mean, std) in gaussians.items():
        for what, value, (low, high) in (("mean", mean, MEANS), ("std", std, STDS)):
            _check_in_range(f"{what}_{name.lower()}", value, low, high)
    words = _starting_words(**gaussians)
    picture = _starting_picture(gaussians)
    return _fill("kl_explorer", KL_TITLE, KL_ALT, KL_CAPTION, words, picture)


def three_points_explorer(p=0.3, q=0.7, r=0.5):
    """Three distributions over two outcomes on a line, to be moved with mouse, touch or arrow keys.

    KL(P||Q), the detour KL(P||R) + KL(R||Q) and their difference follow, in nats, and a curve shows
    the detour for every place of R. Where scripts do not run, a picture of the start with its
    numbers stands in.

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
        _check_in_range(name, value, *PLACES)
    places = {"P": round(p, 2), "Q": round(q, 2), "R": round(r, 2)}
    words, picture = _points_words(**places), _points_picture(places)
    return _fill("three_points", POINTS_TITLE, POINTS_ALT, POINTS_CAPTION, words, picture)


def eigenvalue_explorer(eigenvalues, threshold):
    """Eigenvalues as bars and a line at beta sigma^2, to be moved with mouse, touch or arrow keys.

    A linear VAE with a decoder of fixed variance sigma^2 uses, at its optimum, the latents whose
    eigenvalue lies above the line. Their number, the KL of the code and the squared error of the
    reconstruction follow. Where scripts do not run, a picture of the start stands in.

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
    _check_in_range("threshold", threshold, low, high)
    words = _eigenvalue_words(eigenvalues, float(threshold))
    picture = _eigenvalue_picture(eigenvalues, float(threshold), low, high)
    captions = EIGENVALUES_TITLE, EIGENVALUES_ALT, EIGENVALUES_CAPTION
    return _fill("eigenvalue_explorer", *captions, words, picture)


def denoising_explorer(sigma=0.3):
    """The best denoiser for points of the unit circle, at a point to be moved and noise to choose.

    x is uniform on the circle, y is x plus Gaussian noise of size sigma in both coordinates. Arrows
    lead from y to E[x|y]. Where scripts do not run, a picture of the start stands in.

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
    _check_in_range("sigma", sigma, *SIGMAS)
    sigma = round(float(sigma), 2)
    words, picture = _denoising_words(sigma), _denoising_picture(sigma)
    captions = DENOISING_TITLE, DENOISING_ALT, DENOISING_CAPTION
    return _fill("denoising_explorer", *captions, words, picture)


def latent_explorer(layers, codes, labels):
    """The plane of two latent numbers, each point of which is decoded to an image where it stands.

    All that was trained, the numbers of the layers and the codes, is in one attribute,
    `data-trained`; nothing else in the output depends on it. Where scripts do not run, a sentence
    stands in.

    Parameters
    ----------
    layers : list of (weight, bias)
        As `torch.nn.Linear` holds them: weight of shape (out, in). Between the layers is a ReLU, at
        the end a sigmoid. The first takes 2 numbers, the last gives the 784 pixels.
    codes : array_like, shape (n, 2)
        Codes of at most 300 images, to be seen in the plane.
    labels : array_like of int, shape (n,)
        The digits that those images show.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        When shapes do not fit together, a number is not finite or a label is no digit.
    """
    layers = [(np.asarray(weight), np.asarray(bias)) for weight, bias in layers]
    codes, labels = np.asarray(codes, dtype=float), np.asarray(labels)
    _check_layers(layers)
    _check_codes(codes, labels)
    sizes = [2, *(len(bias) for _, bias in layers)]
    picture = {
        "sizes": " ".join(map(str, sizes)),
        "labels": "".join(str(int(label)) for label in labels),
        "trained": _as_text(layers, codes),
        "stand_in": LATENT_CAPTION,
    }
    return _fill("latent_explorer", LATENT_TITLE, None, LATENT_CAPTION, {}, picture)


def _check_in_range(name, value, low, high):
    """Refuse a start that the figure could not show; NaN is in no range."""
    if not low <= value <= high:
        raise ValueError(
            f"{name} is {value}: choose it between {low} and {high}, which is what the figure shows"
        )


def _fill(name, title, alt, caption, words, picture):
    """The figure `name` with its values, in a frame, and the picture of the start beside it.

    A figure without `alt` has no picture: its caption alone stands in.
    """
    page = (TEMPLATES / "frame.html").read_text(encoding="utf-8")
    figure = (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")
    colors = {f"{point}_color": style["color"] for point, style in STYLES.items()}
    for key, value in {"figure": figure, "title": title, **colors, **words, **picture}.items():
        page = page.replace("{{" + key + "}}", value)
    return HTML(
        FRAGMENT.format(
            name=name.replace("_", "-"),
            title=title,
            page=page.replace("&", "&amp;").replace('"', "&quot;"),
            picture=_as_image(page, alt.format(**words)) if alt else "",
            caption=caption.format(**words),
        )
    )


def _as_image(page, alt):
    """The drawing of a page as an image, which needs no frame and no script."""
    svg = re.search("<svg.*</svg>", page, re.DOTALL)[0]
    svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    width = re.search(r'viewBox="0 0 (\d+)', svg)[1]
    return PICTURE.format(width=width, svg=base64.b64encode(svg.encode()).decode(), alt=alt)


def _verdict(longer):
    """What the explorers say about the detour that is so much longer than the direct way."""
    length = "as long as" if abs(longer) < 5e-5 else "longer than" if longer > 0 else "shorter than"
    return f"The detour is {length} the direct way."


def _starting_words(P, Q, R):
    """What the explorer says before anything is moved, by the library's quadrature."""
    log_p, log_q, log_r = _log_density(*P), _log_density(*Q), _log_density(*R)

    def log_m(x):
        return np.logaddexp(log_p(x), log_q(x)) - np.log(2)

    def kl(log_a, log_b):
        return kl_divergence_quadrature(log_a, log_b, -40, 40)  # 12 std beyond every mean

    direct, detour = kl(log_p, log_q), kl(log_p, log_r) + kl(log_r, log_q)
    return {
        "P_text": _position(*P),
        "Q_text": _position(*Q),
        "R_text": _position(*R),
        "kl_pq": f"{direct:.4f}",
        "detour": f"{detour:.4f}",
        "kl_qp": f"{kl(log_q, log_p):.4f}",
        "js": f"{(kl(log_p, log_m) + kl(log_q, log_m)) / 2:.4f}",
        "verdict": _verdict(detour - direct),
    }


def _log_density(mean, std):
    """The log-density of a Gaussian, as a function of x."""
    return lambda x: -(((x - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))


def _position(mean, std):
    """A Gaussian in words, with the minus sign that screen readers say."""
    return f"mean {mean:.2f}, std {std:.2f}".replace("-", "−")


def _starting_picture(gaussians):
    """The curves and handles before anything is moved, in the units of the template's viewBox."""
    peak = {name: 1 / (std * np.sqrt(2 * np.pi)) for name, (_, std) in gaussians.items()}
    unit = 220 / max(0.4, *peak.values())
    values = {"means": str(list(MEANS)), "stds": str(list(STDS))}
    values |= {"low": str(MEANS[0]), "high": str(MEANS[1]), "grid": f"{250 - unit * 0.2:.1f}"}
    z = np.arange(-40, 41) / 10
    for name, (mean, std) in gaussians.items():
        x = 320 + 60 * (mean + std * z)
        y = 250 - unit * peak[name] * np.exp(-(z**2) / 2)
        height = 250 if name == "R" else y.min()  # R's handle lies on the axis, out of the way
        values |= {
            f"{name}_mean": f"{mean}",
            f"{name}_std": f"{std}",
            f"{name}_points": " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)),
            f"{name}_at": f"{320 + 60 * mean:.1f} {height:.1f}",
        }
    return values


def _points_words(P, Q, R):
    """What the three points' explorer says before anything is moved, by the library."""
    direct, detour = _kl_two_outcomes(P, Q), _detour(P, Q, R)
    return {
        "P_text": f"{P:.2f}",
        "Q_text": f"{Q:.2f}",
        "R_text": f"{R:.2f}",
        "kl_pq": f"{direct:.4f}",
        "detour": f"{detour:.4f}",
        "difference": f"{detour - direct:z.4f}".replace("-", "−"),
        "verdict": _verdict(detour - direct),
    }


def _kl_two_outcomes(p, q):
    """KL between two distributions over two outcomes, given the probability of the first."""
    return kl_divergence([p, 1 - p], [q, 1 - q])


def _detour(p, q, r):
    return _kl_two_outcomes(p, r) + _kl_two_outcomes(r, q)


def _points_picture(places):
    """The points and the curve before anything is moved, in the units of the template's viewBox."""
    p, q, r = places.values()
    direct, detour = _kl_two_outcomes(p, q), _detour(p, q, r)
    top = max(1, 2 * direct, detour)
    grid = max(value for value in (0.5, 1, 2, 4) if value <= 0.8 * top)

    def y(length):
        return f"{300 - 170 * length / top:.1f}"

    curve = [(i / 200, _detour(p, q, i / 200)) for i in range(2, 199)]
    return {
        "low": str(PLACES[0]),
        "high": str(PLACES[1]),
        "grid": f"{grid}",
        "grid_y": y(grid),
        "direct_y": y(direct),
        "detour_y": y(detour),
        "curve": " ".join(f"{40 + 560 * x:.1f},{y(way)}" for x, way in curve if way <= top),
        **{f"{name}_x": f"{40 + 560 * place:.1f}" for name, place in places.items()},
    }


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


def _eigenvalue_words(eigenvalues, threshold):
    """What the eigenvalues' explorer says before anything is moved."""
    active = eigenvalues[eigenvalues > threshold]
    off = len(eigenvalues) - len(active)
    return {
        "threshold_text": _four_digits(threshold),
        "active": f"{len(active)} of {len(eigenvalues)}",
        "kl": _rounded(np.log(active / threshold).sum() / 2, 4),
        "error": _four_digits(np.minimum(eigenvalues, threshold).sum()),
        "verdict": f"Active latents: {len(active)}. Switched off: {off}.",
    }


def _rounded(value, decimals):
    """As the script's toFixed rounds, which takes the larger one where two are equally near."""
    return f"{value * (1 + 1e-13):.{decimals}f}"


def _four_digits(value):
    """A positive number with at least four digits that count, as the script writes it."""
    return _rounded(value, max(0, 3 - math.floor(math.log10(value))))


def _eigenvalue_picture(eigenvalues, threshold, low, high):
    """The bars and the line before anything is moved, in the units of the template's viewBox."""

    def y(value):
        return 290 - 270 * math.log(value / low) / math.log(high / low)

    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    heights = {power: y(10.0**power) for power in powers}
    superscript = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    labels = [
        f'<text x="58" y="{height + 6:.1f}">10{str(power).translate(superscript)}</text>'
        for power, height in heights.items()
    ]
    step = 510 / len(eigenvalues)
    bars = [
        f'<path d="M{70 + step * (i + 0.15):.1f} 290V{y(max(value, low)):.1f}h{0.7 * step:.1f}V290"'
        f' fill="{P_STYLE["color"] if value > threshold else "#fff"}"/>'
        for i, value in enumerate(eigenvalues)
    ]
    return {
        "low": f"{low}",
        "high": f"{high}",
        "threshold": f"{threshold}",
        "line_y": f"{y(threshold):.1f}",
        "eigenvalues": " ".join(f"{value}" for value in eigenvalues),
        "grid": "".join(f"M66 {height:.1f}H580" for height in heights.values()),
        "grid_labels": "".join(labels),
        "bars": "".join(bars),
    }


def _best_guess(y, sigma):
    """E[x|y] for x uniform on the unit circle of the complex plane."""
    size = abs(y)
    s = size / sigma**2
    return y / size * ive(1, s) / ive(0, s)


def _denoising_words(sigma):
    """What the denoiser's explorer says before anything is moved."""
    y = complex(*FIRST_Y)
    guess_size = f"{abs(_best_guess(y, sigma)):.3f}"
    where = "on the circle, to 3 decimals" if guess_size == "1.000" else "inside the circle"
    return {
        "sigma": f"{sigma:.2f}",
        "y_text": f"({y.real:.2f}, {y.imag:.2f})",
        "size": f"{abs(y):.3f}",
        "guess_size": guess_size,
        "verdict": f"The best guess lies {where}.",
    }


def _denoising_picture(sigma):
    """The arrows before anything is moved, in the units of the template's viewBox."""
    grid = [complex(i, j) / 2 for i in range(-4, 5) for j in range(-4, 5) if i or j]
    first = complex(*FIRST_Y)
    return {
        "low": f"{SIGMAS[0]}",
        "high": f"{SIGMAS[1]}",
        "y_first": f"{first.real}",
        "y_second": f"{first.imag}",
        "y_at": _pixels(_at(first)),
        "guess_at": _pixels(_at(_best_guess(first, sigma))),
        "arrows": "".join(_arrow(_at(y), _at(_best_guess(y, sigma))) for y in grid),
        "arrow": _arrow(_at(first), _at(_best_guess(first, sigma))),
    }


def _at(point):
    """Where a point of the plane lies in the drawing, whose second coordinate points down."""
    return 200 + 200j + 95 * point.conjugate()


def _pixels(point):
    return f"{point.real:.1f} {point.imag:.1f}"


def _arrow(start, end):
    """A line with two short strokes at its end."""
    length = abs(start - end)
    back = (start - end) * min(9, length / 2) / (length or 1)
    left, right = end + back * (1 + 0.5j), end + back * (1 - 0.5j)
    points = [_pixels(point) for point in (start, end, left, end, right)]
    return "M{}L{}M{}L{}L{}".format(*points)


def _check_layers(layers):
    """Refuse layers that do not lead from 2 numbers to 784, or that 16-bit floats cannot hold."""
    width = 2
    for number, (weight, bias) in enumerate(layers, 1):
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"layer {number} has a weight of shape {weight.shape} and a bias of shape "
                f"{bias.shape}: give (out, {width}) and (out,)"
            )
        for values in (weight, bias):
            if not (np.abs(values) <= np.finfo(np.float16).max).all():
                raise ValueError(f"layer {number} holds NaN or a number too large: train it again")
        width = len(bias)
    if width != 784:
        raise ValueError(f"the layers end in {width} numbers: give layers that end in 784 pixels")


def _check_codes(codes, labels):
    """Refuse codes that are no points of the plane, or labels that are no digits of theirs."""
    if codes.ndim != 2 or codes.shape[1] != 2 or not 1 <= len(codes) <= MOST_CODES:
        raise ValueError(f"codes has shape {codes.shape}: give (n, 2), n at most {MOST_CODES}")
    if not np.isfinite(codes).all():
        raise ValueError("codes holds NaN or infinity: give finite numbers")
    if labels.shape != codes.shape[:1] or not np.isin(labels, range(10)).all():
        raise ValueError(f"labels of shape {labels.shape}: give {len(codes)} digits from 0 to 9")


def _as_text(layers, codes):
    """All that was trained: 16-bit floats in base64, and the codes, parted by blanks."""
    numbers = np.concatenate([part.ravel() for layer in layers for part in layer])
    weights = base64.b64encode(numbers.astype("<f2").tobytes()).decode()
    return " ".join([weights, *(f"{first:.4g},{second:.4g}" for first, second in codes)])
