"""A convolution and its transpose with numbers: a window that moves, a stamp that adds."""

import numpy as np
import torch

from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.pieces import BLACK, FRAME, PALE, write
from lecture_utils.diagrams.recording import times

WINDOW, BOTH, KERNEL, RIM = "#FFE9A8", "#F2C14E", "#D6ECFA", "#5F6368"


def _number(value):
    return f"{value:g}".replace("-", "−")


def _grid(ax, values, left, middle, cell, name, fills=None, rim=0):
    """A table of numbers with its left edge at `left`; gives the place of a cell's corner.

    fills : dict of (row, column) to a colour; rim : how many rows and columns around are padding.
    """
    rows, columns = values.shape
    top = middle + rows * cell / 2
    for (i, j), value in np.ndenumerate(values):
        x, y = left + (j + 0.5) * cell, top - (i + 0.5) * cell
        inside = rim <= i < rows - rim and rim <= j < columns - rim
        color = (fills or {}).get((i, j), "white" if inside else PALE)
        pieces.box(ax, x, y, cell, cell, fc=color, ec=FRAME, lw=0.8)
        write(ax, x, y, _number(value), color=BLACK if inside else RIM, gid=name.split()[0])
    write(ax, left + columns * cell / 2, top + 0.26, name)
    return left, top


def _frame(ax, corner, cell, row, column, rows, columns):
    x = corner[0] + (column + columns / 2) * cell
    y = corner[1] - (row + rows / 2) * cell
    pieces.box(ax, x, y, columns * cell, rows * cell, ec=BLACK, **pieces.on_anything(2.6))


def _checked(name, result, at, ours):
    """torch's `result`, after a look whether ours is the same and `at` lies in the map."""
    if not (len(at) == 2 and all(0 <= k < n for k, n in zip(at, name[1], strict=True))):
        raise ValueError(f"at={at} lies outside the {name[0]} of {times(name[1])}: count from 0")
    if not np.allclose(ours, result):
        raise ValueError("what is drawn is not what torch computes")


def _tensors(*arrays):
    matrices = [np.array(array, dtype=float) for array in arrays]
    if any(matrix.ndim != 2 for matrix in matrices):
        raise ValueError("image and kernel must be matrices, as [[1, 2], [3, 4]]")
    return matrices, [torch.tensor(matrix)[None, None] for matrix in matrices]
