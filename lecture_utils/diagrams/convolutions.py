"""A convolution and its transpose with numbers: a window that moves, a stamp that adds."""

import numpy as np
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.pieces import BLACK, FRAME, PALE, WIDTH, write
from lecture_utils.diagrams.recording import times
from lecture_utils.plotting import GREY

MARKED, TWICE, KERNEL = "#FFE9A8", "#F5C767", "#D6ECFA"


def draw_convolution(image, kernel, stride=1, padding=0, at=(0, 0), width=WIDTH, title=None):
    """One number of a convolution, worked out.

    Parameters
    ----------
    image, kernel : matrices of numbers; up to about 9 by 9 with the padding, and 3 by 3
    stride, padding : int
    at : (row, column) of the number in the output
    width : float
        In inches; 11.6 for a whole slide.

    Returns
    -------
    figure, alt : for `show`

    Raises
    ------
    ValueError
        When `at` lies outside, the numbers have no room, or are not those of torch's conv2d.
    """
    (image, kernel), tensors = _matrices(image, kernel)
    result = conv2d(*tensors, stride=stride, padding=padding)[0, 0].numpy()
    _confirm_inside(at, result, "output")
    padded = np.pad(image, padding)
    row, column = at[0] * stride, at[1] * stride
    window = padded[row : row + len(kernel), column : column + kernel.shape[1]]
    if not np.isclose((window * kernel).sum(), result[at]):
        raise ValueError("the window times the kernel is not the number that torch computes")
    ax, cell, y, lefts = _row(width, title, (padded, 1.1), (kernel, 1.7), (result, 0))
    below = f", padding {padding}" if padding else ""
    name = f"image {times(image.shape)}{below}"
    marked = _cells(row, column, kernel.shape)
    _grid(ax, padded, lefts[0], y, cell, name, marked, rim=padding)
    _grid(ax, kernel, lefts[1], y, cell, f"kernel {times(kernel.shape)}", plain=KERNEL)
    _grid(ax, result, lefts[2], y, cell, f"output {times(result.shape)}", [tuple(at)])
    write(ax, lefts[1] - 0.55, y, "∗", 26)
    _add(ax, f"stride {stride}", lefts[2] - 1.7, y)
    n_zero = int((window * kernel == 0).sum())
    others = f"   (the other {n_zero} are 0)" if 0 < n_zero < kernel.size else ""
    products = f"{_sum_of_products(window, kernel)} = {_number(result[at])}{others}"
    write(ax, width / 2, 0.35, products, 17, gid="sum")
    return pieces.finished(ax), (
        f"A window of {times(kernel.shape)} in a {times(image.shape)} image, padding {padding}, "
        f"its kernel, and the {times(result.shape)} output of stride {stride}. The number in row "
        f"{at[0]}, column {at[1]}, counted from 0, is {products}."
    )


def draw_transposed_convolution(small, kernel, stride=1, at=(0, 0), width=WIDTH, title=None):
    """A transposed convolution: each number multiplies the kernel and adds the result.

    Parameters
    ----------
    small, kernel : matrices of numbers, up to about 3 by 3
    stride : int
    at : (row, column) of the number whose stamp is marked
    width : float
        In inches; 11.6 for a whole slide.

    Returns
    -------
    figure, alt : for `show`

    Raises
    ------
    ValueError
        When `at` lies outside, the numbers have no room, or are not those of conv_transpose2d.
    """
    (small, kernel), tensors = _matrices(small, kernel)
    _confirm_inside(at, small, "input")
    result = conv_transpose2d(*tensors, stride=stride)[0, 0].numpy()
    added, n_stamps = np.zeros_like(result), np.zeros(result.shape, int)
    for (i, j), value in np.ndenumerate(small):
        where = np.s_[i * stride :, j * stride :]
        added[where][: len(kernel), : kernel.shape[1]] += value * kernel
        n_stamps[where][: len(kernel), : kernel.shape[1]] += 1
    if not np.allclose(added, result):
        raise ValueError("the stamps do not add up to the numbers that torch computes")
    parts = (small, 0.7), (kernel, 0.7), (kernel, 1.3), (result, 0)
    ax, cell, y, lefts = _row(width, title, *parts)
    marked = _cells(at[0] * stride, at[1] * stride, kernel.shape)
    shaded = {
        where: TWICE if where in marked else PALE
        for where in _cells(0, 0, result.shape)
        if n_stamps[where] > 1
    }
    _grid(ax, small, lefts[0], y, cell, f"input {times(small.shape)}", [tuple(at)])
    write(ax, lefts[1] - 0.35, y, "×", 26)
    _grid(ax, kernel, lefts[1], y, cell, "kernel", plain=KERNEL)
    write(ax, lefts[2] - 0.35, y, "=", 26)
    stamp = small[tuple(at)] * kernel
    _grid(ax, stamp, lefts[2], y, cell, "stamp", _cells(0, 0, kernel.shape))
    _add(ax, "add", lefts[3] - 1.3, y, 1.3)
    _grid(ax, result, lefts[3], y, cell, f"output {times(result.shape)}", marked, shaded)
    text = f"stride {stride}: the next stamp starts {stride} further; shaded: stamps add up"
    write(ax, width / 2, 0.35, text, 17)
    return pieces.finished(ax), (
        f"The number {_number(small[tuple(at)])} in row {at[0]}, column {at[1]} of a "
        f"{times(small.shape)} input, times the {times(kernel.shape)} kernel, is its stamp. It is "
        f"added to the {times(result.shape)} output; stamps of neighbours lie {stride} apart, and "
        f"{(n_stamps > 1).sum()} cells get more than one."
    )


def _matrices(*arrays):
    matrices = [np.array(array, dtype=float) for array in arrays]
    if any(matrix.ndim != 2 for matrix in matrices):
        raise ValueError("image and kernel must be matrices, as [[1, 2], [3, 4]]")
    return matrices, [torch.tensor(matrix)[None, None] for matrix in matrices]


def _confirm_inside(at, values, name):
    if not all(0 <= k < n for k, n in zip(at, values.shape, strict=True)):
        raise ValueError(f"at={at} lies outside the {name} of {times(values.shape)}; count from 0")


def _row(width, title, *parts):
    """Axes, the side of a cell, the middle's height and the left edges of grids in a row.

    parts : (matrix, inches between it and the next)
    """
    ax, height = pieces.canvas(width, title)
    gaps = sum(gap for _, gap in parts)
    columns = sum(values.shape[1] for values, _ in parts)
    rows = max(len(values) for values, _ in parts)
    cell = min(0.52, (width - gaps - 0.3) / columns, (height - 1.2) / rows)
    lefts = [(width - gaps - columns * cell) / 2]
    for values, gap in parts[:-1]:
        lefts.append(lefts[-1] + values.shape[1] * cell + gap)
    return ax, cell, (height + 0.15) / 2, lefts


def _cells(row, column, shape):
    return [(row + i, column + j) for i, j in np.ndindex(*shape)]


def _sum_of_products(window, kernel):
    """The products as they are written, pixel times weight, but for those that are zero."""
    terms = [
        "·".join(_number(v) if v >= 0 else f"({_number(v)})" for v in pair)
        for pair in zip(window.flat, kernel.flat, strict=True)
        if all(pair)
    ]
    return " + ".join(terms) or "0"


def _number(value):
    return f"{value + 0.0:g}".replace("-", "−")  # + 0.0 makes 0 of -0


def _grid(ax, values, left, middle, cell, name, marked=(), shaded=None, plain="white", rim=0):
    """A table of numbers under its name, with a thick frame around the block of `marked` cells.

    shaded : dict of (row, column) to a colour
    rim : int, how many rows and columns around are padding
    """
    rows, columns = values.shape
    top, colors = middle + rows * cell / 2, dict.fromkeys(marked, MARKED) | (shaded or {})
    for (i, j), value in np.ndenumerate(values):
        x, y = left + (j + 0.5) * cell, top - (i + 0.5) * cell
        inside = rim <= i < rows - rim and rim <= j < columns - rim
        color = colors.get((i, j), plain if inside else PALE)
        pieces.box(ax, x, y, cell, cell, fc=color, ec=FRAME, lw=0.8)
        write(ax, x, y, _number(value), color=BLACK if inside else GREY, gid=name.split()[0])
    write(ax, left + columns * cell / 2, top + 0.24, name)
    if marked:
        (i, j), (last_i, last_j) = marked[0], marked[-1]
        x, y = left + (j + last_j + 1) / 2 * cell, top - (i + last_i + 1) / 2 * cell
        size = (last_j - j + 1) * cell, (last_i - i + 1) * cell
        pieces.box(ax, x, y, *size, ec=BLACK, lw=3, zorder=5)


def _add(ax, text, left, y, gap=1.7):
    pieces.arrow(ax, (left + 0.15, y), (left + gap - 0.15, y))
    write(ax, left + gap / 2, y + 0.24, text)
