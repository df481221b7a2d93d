"""A chain of layers on a canvas: columns of units, stacks of sheets, and what lies between them."""

import numpy as np
from torch import nn

from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.pieces import BLACK, FILL, FRAME, INK, LARGE, LINE, write

TITLES = {"encoder": "encoder $f$", "decoder": "decoder $g$", "network": "network"}


class Stage:
    """Axes, and where things stand on them: names of `steps` above a chain of `n_gaps` gaps."""

    def __init__(self, width, title, steps, n_gaps):
        self.ax, height = pieces.canvas(width, title)
        self.width, self.sizes, self.counts = width, 0.54, 0.23
        self.titles, self.names = height - 0.3, height - 0.59
        n_lines = max((len(step.lines) for step in steps), default=0)
        top = self.names - LINE * n_lines - 0.1
        self.full = top - self.sizes - 0.25  # height of the largest column
        self.middle = top - self.full / 2
        # The side of pictures at both ends that leaves the chain the width that its names need.
        free = (width - max(0.85 * n_gaps, 4.4)) / 2 - 0.8
        self.side = max(0.7, min(1.9, self.full, free))

    def name(self, states, steps, xs, real=False):
        """Write sizes under the states, names of modules over the steps.

        Where the values are `real`, how many units of the code are on, if some are off.
        """
        for state, x in zip(states, xs, strict=False):
            on = real and state.part == "code" and state.n_on is not None
            text = f"{state.size}, {state.n_on} on" if on else state.size
            write(self.ax, x, self.sizes, text, gid="size")
        for step, x0, x1 in zip(steps, xs, xs[1:], strict=False):
            for i, line in enumerate(step.lines):  # on baselines that all steps share
                where, style = ((x0 + x1) / 2, self.names - 0.2 - LINE * i), {"va": "baseline"}
                write(self.ax, *where, line, color=INK[step.part], gid="step", **style)

    def head(self, part, n_parameters, x0, x1):
        """Write the title of a part with a rule below, and how many parameters it has."""
        middle, color = (x0 + x1) / 2, INK[part]
        write(self.ax, middle, self.titles, TITLES[part], LARGE, color, weight="bold")
        self.ax.hlines(self.titles - 0.25, x0, x1, color=FILL[part], lw=3.5)
        text = f"{n_parameters:,} parameters"
        write(self.ax, middle, self.counts, text, color=color, gid="parameters")

    def head_code(self, x, text):
        """Write the title of the code."""
        write(self.ax, x, self.titles, text, LARGE, INK["code"], weight="bold")

    def picture(self, values, x, part, name):
        """Draw the image that goes in or comes out, and its name above."""
        pieces.picture(self.ax, values, x, self.middle, self.side, FILL[part])
        write(self.ax, x, self.middle + self.side / 2 + 0.22, name, LARGE)

    def goes_in(self, x, end, part):
        """Draw the image `x` at the left, with an arrow to `end`."""
        self.picture(x, 0.15 + self.side / 2, part, "$x$")
        pieces.arrow(self.ax, (0.22 + self.side, self.middle), (end, self.middle))

    def comes_out(self, x_hat, start, part):
        """Draw the image `x_hat` at the right, with an arrow from `start`."""
        left = self.width - 0.15 - self.side
        self.picture(x_hat, left + self.side / 2, part, r"$\hat{x}$")
        pieces.arrow(self.ax, (start, self.middle), (left - 0.07, self.middle))

    def goes_in_with_noise(self, x, y, end, part):
        """Draw the clean image `x` above the noisy one `y`, which goes in."""
        bottom, top = self.counts - 0.1, self.names + 0.1
        side = min(self.side, (top - bottom - 0.55) / 2)
        middle, up, down = 0.4 + side / 2, top - side / 2, bottom + side / 2
        for image, height, name, color in (x, up, "$x$", FRAME), (y, down, "$y$", FILL[part]):
            pieces.picture(self.ax, image, middle, height, side, color)
            write(self.ax, 0.2, height, name, LARGE)
        pieces.arrow(self.ax, (middle - 0.5, up - side / 2), (middle - 0.5, down + side / 2))
        write(self.ax, middle - 0.38, (up + down) / 2, "+ noise", ha="left")
        pieces.arrow(self.ax, (0.47 + side, down), (end, self.middle))


def unit_height(n, largest, full):
    """Not to scale: 8 units beside 784 would be a hair."""
    return full * (n / largest) ** 0.35


def draw_chain(ax, states, steps, xs, y, full, real=(), largest=None):
    """Draw states at the places `xs` and the steps between them.

    Parameters
    ----------
    y, full : float
        The middle, and the height of a column of `largest` units.
    real : container of int
        The states drawn with the example's values; the others are plain.

    Returns
    -------
    list of (x, y, height) : the edges of the states; for a volume those of the front sheet
    """
    shapes = [state.values.shape for state in states]
    rows = max((shape[1] for shape in shapes if len(shape) == 3), default=0)
    flat = [shape[0] for shape in shapes if len(shape) == 1]
    largest = largest or max(flat, default=1) * (4 if rows else 1)
    sheet = min(0.8 * full, 0.84 * np.diff(xs).min(initial=np.inf))
    edges = []
    for i, (state, x) in enumerate(zip(states, xs, strict=True)):
        if len(shapes[i]) == 3:
            height = sheet * (shapes[i][1] / rows) ** 0.45
            drawn = pieces.sheets(ax, state.values, x, y, height, FILL[state.part], i in real)
            edges.append((*drawn, height))
        else:
            height = unit_height(shapes[i][0], largest, full)
            width = (0.28 if state.part == "code" else 0.18) * min(1, full / 1.2)
            pieces.strip(ax, state.values, x, y, width, height, FILL[state.part], i in real)
            edges.append((x, y, height))
    for step, *ends, before, after in zip(
        steps, edges, edges[1:], shapes, shapes[1:], strict=False
    ):
        if module := _window(step, before, after):
            _draw_window(ax, module, (*ends[0], before[1]), (*ends[1], after[1]))
        else:
            pieces.funnel(ax, *ends, FILL[step.part])
    return edges


def _window(step, *shapes):
    """The convolution of a step from volume to volume, if it is square, without holes and alone."""
    convs = [m for m in step.modules if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    if len(convs) != 1 or any(len(shape) != 3 or shape[1] != shape[2] for shape in shapes):
        return None
    conv = convs[0]
    square = all(len(set(s)) == 1 for s in (conv.kernel_size, conv.stride, conv.padding))
    alone = sum(hasattr(m, "kernel_size") for m in step.modules) == 1
    return conv if square and alone and set(conv.dilation) == {1} else None


def _draw_window(ax, conv, here, there):
    """A window on one sheet, the cell that belongs to it on the other, lines between them.

    `here` and `there` are (x, y, side, cells a side).
    """
    transposed = isinstance(conv, nn.ConvTranspose2d)
    one, many = (here, there) if transposed else (there, here)
    cell = one[3] // 2
    first = cell * conv.stride[0] - conv.padding[0]
    window = max(first, 0), min(first + conv.kernel_size[0], many[3])
    squares = []
    for (x, y, side, cells), (start, stop) in (one, (cell, cell + 1)), (many, window):
        off, length = ((start + stop) / cells - 1) * side / 2, (stop - start) / cells * side
        pieces.box(ax, x + off, y - off, length, length, **pieces.ON_ANYTHING)
        squares.append((x + off, y - off, length / 2))
    (x0, y0, r0), (x1, y1, r1) = squares if transposed else reversed(squares)
    for up in (-1, 1):
        line = [x0 + r0, x1 - r1], [y0 + up * r0, y1 + up * r1]
        ax.plot(*line, color=BLACK, lw=1.2, ls="-", zorder=5)
