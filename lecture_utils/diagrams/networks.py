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
    states, steps, counts = recording.states, recording.steps, recording.n_parameters
    stage, real = Stage(width, title, steps), range(len(states)) if x is not None else ()
    image, answer = as_image(clean[0].double().numpy()), as_image(states[-1].values)
    gives_back = states[-1].values.size == states[0].values.size
    flat = [states[k].values.ndim == 1 for k in (0, -1)]  # a volume shows the image itself
    shows_input = real and image is not None and (flat[0] or noise is not None)
    shows_output = real and answer is not None and flat[1] and gives_back
    left = right = max(0.75, 0.08 * width)  # from the edges
    if shows_input:
        left = stage.side + 0.8 + (0 if noise is None else 0.3) + (0 if flat[0] else 0.5)
    if shows_output:
        right = stage.side + 0.8
    xs = list(np.linspace(left, width - right, len(states)))
    edges = draw_chain(stage.ax, states, steps, xs, stage.middle, stage.full, real)
    stage.name(states, steps, xs, bool(real))
    start, end = xs[0] + 0.35, xs[-1] - 0.35
    if "network" in counts:
        stage.head("network", counts["network"], start, end)
    else:
        code = next(i for i, state in enumerate(states) if state.part == "code")
        stage.head("encoder", counts["encoder"], start, xs[code] - 0.35)
        stage.head("decoder", counts["decoder"], xs[code] + 0.35, end)
        stage.head_code(xs[code], "$z$")
    reach = xs[0] - (0.16 if flat[0] else edges[0][2] / 2 + 0.08)
    if shows_input and noise is not None:
        noisy = as_image(x_in[0].double().numpy())
        stage.goes_in_with_noise(image, noisy, reach, states[0].part)
    elif shows_input:
        stage.goes_in(image, reach, states[0].part)
    else:
        write(stage.ax, xs[0], stage.titles, "$x$" if noise is None else "$y$", LARGE)
    if shows_output:
        stage.comes_out(answer, xs[-1] + 0.16, states[-1].part)
    elif gives_back:
        write(stage.ax, xs[-1], stage.titles, r"$\hat{x}$", LARGE)
    return pieces.finished(stage.ax), _alt(model, recording, bool(real), noise is not None)


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
    mean, log_var = np.split(left.states[-1].values, 2)  # (latent_dim,) each
    # One step more than there are: the draw has a place of its own.
    stage = Stage(width, title, [*left.steps, *right.steps, *right.steps[:1], *right.steps[:1]])
    ax, y, full = stage.ax, stage.middle, stage.full
    start, end = stage.side + 0.8, width - stage.side - 0.8
    n_left, n_right = len(left.states), len(right.states)
    places = list(np.linspace(start, end, n_left + 1 + n_right))
    xs, draw, zs = places[:n_left], places[n_left], places[n_left + 1 :]
    largest = max(state.values.size for state in left.states + right.states)
    edges = draw_chain(
        ax, left.states[:-1], left.steps[:-1], xs[:-1], y, full, range(n_left), largest
    )
    draw_chain(ax, right.states, right.steps, zs, y, full, range(n_right), largest)
    tall = min(unit_height(len(mean), largest, full), 0.34 * full)
    for values, up, name in (mean, 1, r"$\mu$"), (log_var, -1, r"$\log\sigma^2$"):
        place = y + up * (tall / 2 + 0.1)
        pieces.strip(ax, values, xs[-1], place, 0.22, tall, FILL["encoder"], True)
        pieces.funnel(ax, edges[-1], (xs[-1], place, tall), FILL["encoder"])
        pieces.arrow(ax, (xs[-1] + 0.16, place), (draw - 0.17, y + up * 0.12))
        write(ax, xs[-1], place + up * (tall / 2 + 0.2), name, LARGE, INK["encoder"])
    ax.plot(draw, y, "o", ms=26, mfc="white", mec=INK["code"], mew=2.2, zorder=7)
    write(ax, draw, y, "+", LARGE, INK["code"], weight="bold")
    top = y + 0.4 * full
    write(ax, draw + 0.1, top, r"$\varepsilon\sim N(0,I)$", color=INK["code"])
    pieces.arrow(ax, (draw, top - 0.15), (draw, y + 0.2), INK["code"], linestyle="--")
    pieces.arrow(ax, (draw + 0.2, y), (zs[0] - 0.18, y), INK["code"])
    stage.name(left.states[:-1], left.steps, xs)
    write(ax, xs[-1], stage.sizes, f"2·{len(mean)}", gid="size")
    stage.name(right.states, right.steps, zs)
    stage.head("encoder", left.n_parameters["encoder"], start, xs[-1])
    stage.head_code(draw, r"$z=\mu+\sigma\varepsilon$")
    stage.head("decoder", right.n_parameters["decoder"], zs[0], end)
    stage.goes_in(as_image(left.states[0].values), start - 0.16, "encoder")
    stage.comes_out(as_image(right.states[-1].values), end + 0.16, "decoder")
    latent = len(mean)
    return pieces.finished(ax), (
        f"Diagram of a variational autoencoder with {n_parameters(model):,} parameters. "
        f"{in_words(left)} Of these {2 * latent} numbers {latent} are the mean and {latent} the "
        "log-variance of the code z, which is drawn: mean plus standard deviation times noise "
        f"from a standard normal. {in_words(right)} At the left an image x, at the right the "
        "decoder's answer."
    )
