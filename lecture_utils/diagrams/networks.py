"""Autoencoders as they ran: layers as columns of units, volumes as sheets, real values in them."""

import numpy as np
from torch import nn

from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.pieces import FILL, INK, LARGE, write
from lecture_utils.diagrams.recording import (
    in_words,
    n_parameters,
    one_example,
    record,
    record_variational,
    undisturbed,
)

NAMES = {"encoder": "encoder $f$", "decoder": "decoder $g$", "network": "network"}


class Room:
    """Where things stand on a canvas of height `height`, under the names of `steps`."""

    def __init__(self, height, steps):
        n_lines = max((len(step.lines) for step in steps), default=0)
        self.heading, self.names = height - 0.25, height - 0.55
        self.sizes, self.counts = 0.5, 0.19
        top = self.names - pieces.LINE * n_lines - 0.1
        self.full = top - self.sizes - 0.25  # height of the largest column
        self.middle = top - self.full / 2


def unit_height(n, largest, full):
    """Not to scale: 8 units beside 784 would be a hair."""
    return full * (n / largest) ** 0.35


def draw_chain(ax, states, steps, xs, y, full, real, largest=None):
    """Draw states at the places `xs` and the steps between them; returns their edges.

    Parameters
    ----------
    y, full : float
        The middle, and the height of a column of `largest` units.
    real : bool
        Grey cells with the example's values, or plain colour.

    Returns
    -------
    list of (x, y, height)
    """
    flat = [state.values.size for state in states if state.values.ndim == 1]
    rows = max((state.values.shape[-1] for state in states if state.values.ndim == 3), default=0)
    largest = largest or max(flat, default=1) * (4 if rows else 1)
    space = min(np.diff(xs), default=1)
    edges, fronts = [], []
    for state, x in zip(states, xs, strict=True):
        color = FILL[state.part]
        if state.values.ndim == 3:
            side = min(0.8 * full, 0.84 * space) * (state.values.shape[-1] / rows) ** 0.45
            fronts.append((*pieces.sheets(ax, state.values, x, y, side, color, real), side))
            edges.append((x, y, side))
        else:
            height = unit_height(state.values.size, largest, full)
            width = (0.28 if state.part == "code" else 0.18) * min(1, full / 1.2)
            pieces.strip(ax, state.values, x, y, width, height, color, real)
            fronts.append(None)
            edges.append((x, y, height))
    for i, step in enumerate(steps):
        ends = [(*fronts[k], states[k].values.shape[-1]) for k in (i, i + 1) if fronts[k]]
        windows = [module for module in step.modules if hasattr(module, "kernel_size")]
        if len(ends) == 2 and len(windows) == 1 and _is_plain(windows[0]):
            _draw_window(ax, windows[0], *ends)
        else:
            pieces.funnel(ax, edges[i], edges[i + 1], FILL[step.part])
    return edges


def _is_plain(module):
    """A square window without holes, the same stride down and across."""
    is_conv = isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    settings = (module.kernel_size, module.stride, module.padding) if is_conv else ((0, 1),)
    return set(getattr(module, "dilation", ())) == {1} and all(len(set(s)) == 1 for s in settings)


def _draw_window(ax, module, here, there):
    """A window on one sheet, the cell that belongs to it on the other, lines between them.

    `here` and `there` are (x, y, side, cells a side) of the front sheets.
    """
    transposed = isinstance(module, nn.ConvTranspose2d)
    one, many = (here, there) if transposed else (there, here)
    cell = one[3] // 2
    first = cell * module.stride[0] - module.padding[0]
    ends = []
    for (x, y, side, cells), start, stop in (
        (one, cell, cell + 1),
        (many, max(first, 0), min(first + module.kernel_size[0], many[3])),
    ):
        unit, length = side / cells, (stop - start) * side / cells
        x = x - side / 2 + start * unit + length / 2
        y = y + side / 2 - start * unit - length / 2
        pieces.box(ax, x, y, length, length, ec=pieces.MARK, **pieces.on_anything(2))
        ends.append((x, y, length / 2))
    (x0, y0, r0), (x1, y1, r1) = ends if transposed else reversed(ends)
    for up in (-1, 1):
        line = pieces.on_anything(1.1)
        ax.plot([x0 + r0, x1 - r1], [y0 + up * r0, y1 + up * r1], color=pieces.MARK, ls="-", **line)


def _write_names(ax, room, states, steps, xs):
    """Sizes under the states, names of modules over the steps."""
    for state, x in zip(states, xs, strict=True):
        write(ax, x, room.sizes, state.size, gid="size")
    for step, x0, x1 in zip(steps, xs, xs[1:], strict=False):
        pieces.write_lines(ax, (x0 + x1) / 2, room.names, step.lines, INK[step.part])


def _write_part(ax, room, part, count, x0, x1):
    """The heading of a part, and how many parameters it has."""
    pieces.heading(ax, x0, x1, room.heading, NAMES[part], part)
    text = f"{count:,} parameters"
    write(ax, (x0 + x1) / 2, room.counts, text, color=INK[part], gid="parameters")


def picture_side(room, width, n_gaps):
    """The side of the pictures at both ends that leaves the chain the width that its names need."""
    return min(1.9, room.full, (width - max(0.85 * n_gaps, 3.8)) / 2 - 0.8)


def _draw_input(ax, room, x, noisy, side, end):
    """The image that goes in, with an arrow to x-position `end`; with noise the clean one above."""
    if noisy is None:
        pieces.picture(ax, x, 0.15 + side / 2, room.middle, side, FILL["encoder"])
        write(ax, 0.15 + side / 2, room.middle + side / 2 + 0.22, "$x$", LARGE)
        pieces.arrow(ax, (0.22 + side, room.middle), (end, room.middle))
        return
    bottom, top = room.counts - 0.1, room.names + 0.1
    side = min(side, (top - bottom - 0.55) / 2)
    middle, up, down = 0.4 + side / 2, top - side / 2, bottom + side / 2
    pieces.picture(ax, x, middle, up, side, pieces.FRAME)
    pieces.picture(ax, noisy, middle, down, side, FILL["encoder"])
    write(ax, 0.2, up, "$x$", LARGE)
    write(ax, 0.2, down, "$y$", LARGE)
    pieces.arrow(ax, (middle - 0.5, up - side / 2), (middle - 0.5, down + side / 2))
    write(ax, middle - 0.38, (up + down) / 2, "+ noise", ha="left")
    pieces.arrow(ax, (0.47 + side, down), (end, room.middle))


def _draw_output(ax, room, x_hat, side, start, width):
    """The image that comes out, with an arrow from x-position `start`."""
    middle = width - 0.15 - side / 2
    pieces.picture(ax, x_hat, middle, room.middle, side, FILL["decoder"])
    write(ax, middle, room.middle + side / 2 + 0.22, r"$\hat{x}$", LARGE)
    pieces.arrow(ax, (start, room.middle), (middle - side / 2 - 0.07, room.middle))


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
    real = x is not None
    ax, height = pieces.canvas(width, title)
    room = Room(height, steps)
    images = [pieces.as_image(values) for values in (clean[0].double().numpy(), states[-1].values)]
    dense = states[0].values.ndim == 1
    shows_input = real and images[0] is not None and (dense or noise is not None)
    shows_output = real and images[1] is not None and states[-1].values.ndim == 1
    side = picture_side(room, width, len(steps))
    left = side + (0.8 if noise is None else 1.1) if shows_input else 0.75
    left += 0.0 if dense or not shows_input else 0.5
    right = width - (side + 0.8 if shows_output else 0.75)
    xs = list(np.linspace(left, right, len(states)))
    edges = draw_chain(ax, states, steps, xs, room.middle, room.full, real)
    _write_names(ax, room, states, steps, xs)
    ends = (left - 0.1 if shows_input else left + 0.35, right + (0.1 if shows_output else -0.35))
    if "network" in counts:
        _write_part(ax, room, "network", counts["network"], *ends)
    else:
        code = next(i for i, state in enumerate(states) if state.part == "code")
        _write_part(ax, room, "encoder", counts["encoder"], ends[0], xs[code] - 0.4)
        _write_part(ax, room, "decoder", counts["decoder"], xs[code] + 0.4, ends[1])
        pieces.heading(ax, xs[code], xs[code], room.heading, "$z$", "code")
        if real and states[code].n_on is not None:
            text = f"{states[code].n_on} on"
            write(ax, xs[code], room.counts, text, color=INK["code"], gid="on")
    if shows_input:
        noisy = None if noise is None else pieces.as_image(x_in[0].double().numpy())
        end = left - (0.16 if dense else edges[0][2] / 2 + 0.08)
        _draw_input(ax, room, images[0], noisy, side, end)
    else:
        write(ax, left, room.heading, "$x$" if noise is None else "$y$", LARGE)
    if shows_output:
        _draw_output(ax, room, images[1], side, right + 0.16, width)
    else:
        write(ax, right, room.heading, r"$\hat{x}$", LARGE)
    return pieces.finished(ax), _alt(model, recording, real, noise is not None)


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
    ax, height = pieces.canvas(width, title)
    room = Room(height, left.steps + right.steps)
    y, full = room.middle, room.full
    n_left, n_right = len(left.states), len(right.states)
    side = picture_side(room, width, n_left + n_right)
    start, end = side + 0.8, width - side - 0.8
    places = np.linspace(start, end, n_left + n_right + 1)
    xs, draw, zs = list(places[:n_left]), places[n_left], list(places[n_left + 1 :])
    largest = max(state.values.size for state in left.states + right.states)
    edges = draw_chain(
        ax, left.states[:-1], left.steps[:-1], xs[:-1], y, full, True, largest=largest
    )
    size = min(unit_height(len(mean), largest, full), 0.34 * full)
    for values, sign, name in ((mean, 1, r"$\mu$"), (log_var, -1, r"$\log\sigma^2$")):
        place = y + sign * (size / 2 + 0.1)
        pieces.strip(ax, values, xs[-1], place, 0.22, size, FILL["encoder"], True)
        pieces.funnel(ax, edges[-1], (xs[-1], place, size), FILL["encoder"])
        pieces.arrow(ax, (xs[-1] + 0.16, place), (draw - 0.17, y + sign * 0.12))
        write(ax, xs[-1], place + sign * (size / 2 + 0.2), name, LARGE, INK["encoder"])
    ax.plot(draw, y, "o", ms=26, mfc="white", mec=INK["code"], mew=2.2, zorder=7)
    write(ax, draw, y, "+", LARGE, INK["code"], weight="bold")
    pieces.arrow(ax, (draw, y + 0.4 * full - 0.15), (draw, y + 0.2), INK["code"], linestyle="--")
    write(ax, draw + 0.1, y + 0.4 * full, r"$\varepsilon\sim N(0,I)$", color=INK["code"])
    pieces.arrow(ax, (draw + 0.2, y), (zs[0] - 0.18, y), INK["code"])
    draw_chain(ax, right.states, right.steps, zs, y, full, True, largest=largest)
    _write_names(ax, room, left.states, left.steps, xs)
    _write_names(ax, room, right.states, right.steps, zs)
    _write_part(ax, room, "encoder", left.n_parameters["encoder"], start - 0.1, xs[-1] + 0.15)
    _write_part(ax, room, "decoder", right.n_parameters["decoder"], zs[0] + 0.15, end + 0.1)
    pieces.heading(ax, draw, draw, room.heading, r"$z=\mu+\sigma\varepsilon$", "code")
    image, answer = (
        pieces.as_image(chain.states[k].values) for chain, k in ((left, 0), (right, -1))
    )
    _draw_input(ax, room, image, None, side, start - 0.16)
    _draw_output(ax, room, answer, side, end + 0.16, width)
    latent = len(mean)
    return pieces.finished(ax), (
        f"Diagram of a variational autoencoder with {n_parameters(model):,} parameters. "
        f"{in_words(left)} Of these {2 * latent} numbers {latent} are the mean and {latent} the "
        f"log-variance of the code z, which is drawn: mean plus standard deviation times noise "
        f"from a standard normal. {in_words(right)} At the left an image x, at the right what "
        f"comes out."
    )
