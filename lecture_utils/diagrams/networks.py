"""Autoencoders as they ran, from the module in hand."""

import numpy as np

from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.chain import Stage, draw_chain, unit_height
from lecture_utils.diagrams.pieces import FILL, INK, LARGE, as_image, write
from lecture_utils.diagrams.recording import (
    in_words,
    n_parameters,
    one_example,
    record,
    record_variational,
    undisturbed,
)


def draw_network(model, x=None, noise=None, width=pieces.WIDTH, title=None):
    """Draw an autoencoder, dense or convolutional, from a pass through its modules.

    Parameters
    ----------
    model : nn.Module with `encoder` and `decoder`, or a chain without parts
    x : array or tensor, shape (d,) or (channels, rows, columns), optional
        One example, of grey values 0 to 1 if it is an image. Each layer is then drawn with its own
        values, the largest black; zero or, where some are negative, the smallest white.
    noise : of the shape of x, optional
        Is added to `x` before it goes in.
    width : float
        In inches; 11.6 for a whole slide.

    Returns
    -------
    figure, alt : for `show`

    Raises
    ------
    ValueError
        When the model is no chain of its modules, or the names do not fit into `width`.
    """
    with undisturbed(model):
        clean = one_example(model, x)
        x_in = clean if noise is None else clean + one_example(model, noise)
        recording = record(model, x_in)
    states, steps = recording.states, recording.steps
    stage, real = Stage(width, title, steps, len(steps)), x is not None
    image, answer = _pictures_at_the_ends(clean, recording, noise) if real else (None, None)
    left = right = max(0.75, 0.08 * width)  # from the edges
    if image is not None:
        left = stage.side + 0.8 + (0.3 if noise is not None else 0)
        left += 0.5 if states[0].values.ndim == 3 else 0
    if answer is not None:
        right = stage.side + 0.8
    xs = list(np.linspace(left, width - right, len(states)))
    shown = range(len(states)) if real else ()
    edges = draw_chain(stage.ax, states, steps, xs, stage.middle, stage.full, shown)
    stage.name(states, steps, xs, real)
    _draw_heads(stage, recording, xs)
    end = xs[0] - (0.16 if states[0].values.ndim == 1 else edges[0][2] / 2 + 0.08)
    if image is None:
        write(stage.ax, xs[0], stage.titles, "$x$" if noise is None else "$y$", LARGE)
    elif noise is None:
        stage.goes_in(image, end, states[0].part)
    else:
        noisy = as_image(x_in[0].double().numpy())
        stage.goes_in_with_noise(image, noisy, end, states[0].part)
    if answer is not None:
        stage.comes_out(answer, xs[-1] + 0.16, states[-1].part)
    elif states[-1].values.size == states[0].values.size:
        write(stage.ax, xs[-1], stage.titles, r"$\hat{x}$", LARGE)
    return pieces.finished(stage.ax), _alt(model, recording, real, noise is not None)


def _pictures_at_the_ends(clean, recording, noise):
    """What goes in and what comes out, None where it is no image or the volume there shows it."""
    first, last = recording.states[0].values, recording.states[-1].values
    image = answer = None
    if first.ndim == 1 or noise is not None:
        image = as_image(clean[0].double().numpy())
    if last.ndim == 1 and last.size == first.size:
        answer = as_image(last)
    return image, answer


def _draw_heads(stage, recording, xs):
    """The titles of the parts, each above its steps."""
    counts, start, end = recording.n_parameters, xs[0] + 0.35, xs[-1] - 0.35
    if "network" in counts:
        stage.head("network", counts["network"], start, end)
        return
    code = next(x for x, state in zip(xs, recording.states, strict=True) if state.part == "code")
    stage.head("encoder", counts["encoder"], start, code - 0.35)
    stage.head_code(code, "$z$")
    stage.head("decoder", counts["decoder"], code + 0.35, end)


def _alt(model, recording, real, noisy):
    kind = "a network" if "network" in recording.n_parameters else "an autoencoder"
    text = f"Diagram of {kind} with {n_parameters(model):,} parameters. {in_words(recording)}"
    codes = [state for state in recording.states if state.part == "code"]
    if real and codes and codes[0].n_on is not None:
        text += f" Of the {codes[0].values.size} units of the code {codes[0].n_on} are on."
    if real:
        text += " At the left an example"
        text += " x, below it y with noise added;" if noisy else " x,"
        text += " in each layer its values as grey cells, at the right what comes out."
    return text


def draw_variational(model, x, seed=0, width=pieces.WIDTH, title=None):
    """Draw a variational autoencoder: two heads, a draw, the decoder; all values are real.

    Parameters
    ----------
    model : VariationalAutoencoder
    x : array or tensor, shape (d,)
    seed : int
        Of the draw of epsilon.
    width : float
        In inches; 11.6 for a whole slide.

    Returns
    -------
    figure, alt : for `show`

    Raises
    ------
    ValueError
        When encoder or decoder are no chains of their modules, or the heads are not the halves.
    """
    with undisturbed(model):
        x = one_example(model, x)
        left, right = record_variational(model, x, seed)
    latent = right.states[0].values.size
    n_left, n_right = len(left.states), len(right.states)
    stage = Stage(width, title, left.steps + right.steps, n_left + n_right)
    image, answer = as_image(left.states[0].values), as_image(right.states[-1].values)
    start = 0.75 if image is None else stage.side + 0.8
    places = list(np.linspace(start, width - start, n_left + 1 + n_right))
    xs, draw, zs = places[:n_left], places[n_left], places[n_left + 1 :]
    _draw_chains_and_draw(stage, left, xs, draw, right, zs)
    stage.name(left.states[:-1], left.steps, xs)
    write(stage.ax, xs[-1], stage.sizes, f"2·{latent}", gid="size")
    stage.name(right.states, right.steps, zs)
    stage.head("encoder", left.n_parameters["encoder"], xs[0], xs[-1])
    stage.head_code(draw, r"$z=\mu+e^{\nu/2}\varepsilon$")
    stage.head("decoder", right.n_parameters["decoder"], zs[0], zs[-1])
    if image is not None:
        stage.goes_in(image, xs[0] - 0.16, "encoder")
        stage.comes_out(answer, zs[-1] + 0.16, "decoder")
    return pieces.finished(stage.ax), (
        f"Diagram of a variational autoencoder with {n_parameters(model):,} parameters. "
        f"{in_words(left)} Of these {2 * latent} numbers {latent} are the mean and {latent} the "
        "log-variance nu of the code z, which is drawn: mean plus standard deviation times noise "
        f"from a standard normal. {in_words(right)} At the left an image x, at the right the "
        "decoder's answer."
    )


def _draw_chains_and_draw(stage, left, xs, draw, right, zs):
    """The encoder with its two heads, the draw at the place `draw`, the decoder."""
    ax, y, full = stage.ax, stage.middle, stage.full
    largest = max(s.values.size for s in left.states + right.states if s.values.ndim == 1)
    shown = range(len(left.states + right.states))
    edges = draw_chain(ax, left.states[:-1], left.steps[:-1], xs[:-1], y, full, shown, largest)
    draw_chain(ax, right.states, right.steps, zs, y, full, shown, largest)
    mean, log_var = np.split(left.states[-1].values, 2)  # (latent_dim,) each
    tall = min(unit_height(len(mean), largest, full), 0.34 * full)
    for values, up, name in (mean, 1, r"$\mu$"), (log_var, -1, r"$\nu$"):
        place = y + up * (tall / 2 + 0.1)
        pieces.strip(ax, values, xs[-1], place, 0.22, tall, FILL["encoder"], True)
        pieces.funnel(ax, edges[-1], (xs[-1], place, tall), FILL["encoder"])
        write(ax, xs[-1], place + up * (tall / 2 + 0.2), name, LARGE, INK["encoder"])
    times = y - 0.3 * full  # the width times the noise, then the mean is added
    pieces.arrow(ax, (xs[-1] + 0.16, y + tall / 2 + 0.1), (draw - 0.17, y + 0.1))
    pieces.arrow(ax, (xs[-1] + 0.16, y - tall / 2 - 0.1), (draw - 0.17, times + 0.1))
    for sign, height in ("+", y), (r"$\times$", times):
        ax.plot(draw, height, "o", ms=26, mfc="white", mec=INK["code"], mew=2.2, zorder=7)
        write(ax, draw, height, sign, LARGE, INK["code"], weight="bold")
    write(ax, draw, times - 0.62, r"$\varepsilon\sim N(0,I)$", color=INK["code"])
    pieces.arrow(ax, (draw, times - 0.47), (draw, times - 0.2), INK["code"], linestyle="--")
    pieces.arrow(ax, (draw, times + 0.2), (draw, y - 0.2), INK["code"])
    pieces.arrow(ax, (draw + 0.2, y), (zs[0] - 0.18, y), INK["code"])
