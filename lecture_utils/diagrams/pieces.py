"""What the drawings are made of. The unit of an axis is an inch, so that type and boxes agree."""

import math
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from matplotlib.patheffects import Normal, Stroke

# Okabe and Ito's colours that are not those of P, Q and R: a fill, and a darker tone for type.
FILL = {"encoder": "#56B4E9", "code": "#E69F00", "decoder": "#CC79A7", "network": "#9AA0A6"}
INK = {"encoder": "#005A8C", "code": "#7A5200", "decoder": "#8A2F63", "network": "#202124"}
BLACK, PALE, FRAME = "#202124", "#E8EAED", "#9AA0A6"
# A light line with a dark rim is seen on white, on black and in grey print.
TWO_LINES = [Stroke(linewidth=4, foreground=BLACK), Normal()]
ON_ANYTHING = {"ec": "#FFD84D", "lw": 2, "path_effects": TWO_LINES, "zorder": 6}
WIDTH = 11.6  # inches: a slide has 100 pixels to the inch
SMALL, LARGE = 15, 19  # points
LINE = 0.27  # inches from one line of small type to the next
RIM = 0.1  # inches that `show` leaves around a figure: with them it is as wide as asked for


def canvas(width, title):
    """Axes without a frame and their height; a title adds its own room above."""
    height = max(3.3, 0.4 * width)
    top = height + (0.45 if title else 0) - RIM
    size = width - 2 * RIM, top - RIM
    ax = plt.figure(figsize=size, dpi=100, layout="none").add_axes((0, 0, 1, 1))
    ax.set(xlim=(RIM, width - RIM), ylim=(RIM, top))
    ax.axis("off")
    if title:
        write(ax, width / 2, top - 0.2, title, LARGE, weight="bold")
    return ax, height


def finished(ax):
    """The figure of `ax`, refused where a text meets another one or the edge."""
    figure = ax.figure
    boxes = [(text, text.get_window_extent()) for text in ax.texts]
    crowded = [
        (text, other)
        for (text, a), (other, b) in combinations(boxes, 2)
        # The box of a text has some air above and below.
        if min(a.x1, b.x1) - max(a.x0, b.x0) > -4 and min(a.y1, b.y1) - max(a.y0, b.y0) > 4
    ]
    page = figure.bbox
    crowded += [
        (text, text)
        for text, box in boxes
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]
    if crowded:
        plt.close(figure)
        names = " and ".join(repr(text.get_text()) for text in crowded[0])
        raise ValueError(f"no room for {names}: give a larger width (of a slide: {WIDTH})")
    return figure


def write(ax, x, y, text, size=SMALL, color=BLACK, **more):
    """Text whose middle is at (x, y)."""
    more = {"ha": "center", "va": "center", "zorder": 8, **more}
    return ax.text(x, y, text, fontsize=size, color=color, **more)


def box(ax, x, y, width, height, **style):
    """A rectangle whose middle is at (x, y)."""
    style = {"fc": "none", "zorder": 3, **style}
    ax.add_patch(Rectangle((x - width / 2, y - height / 2), width, height, **style))


def grey(ax, values, x, y, width, height, limits, **style):
    """A matrix as grey cells, the largest black, centred at (x, y)."""
    extent = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
    style = {"interpolation": "nearest", "zorder": 3, "aspect": "auto", **style}
    low, high = limits
    ax.imshow(values, cmap="gray_r", vmin=low, vmax=high, extent=extent, **style)


def as_image(values):
    """The square grey image of shape (rows, columns) that `values` is, or None."""
    side = math.isqrt(values.size)
    is_image = values.size >= 16 and values.size == side**2 and values.shape[0] in (1, values.size)
    return values.reshape(side, side) if is_image else None


def picture(ax, image, x, y, side, color):
    """A square grey image with values 0 to 1 in a frame."""
    grey(ax, image, x, y, side, side, (0, 1))
    box(ax, x, y, side, side, ec=color, lw=2)


def strip(ax, values, x, y, width, height, color, real):
    """A column of units, shape (n,): plain, or a grey cell each; white is 0 or what is below."""
    if real:
        limits = (min(0, values.min()) if values.min() > -1e-9 else values.min(), values.max())
        few = len(values) < 200
        how = "nearest" if few else None  # matplotlib's own way: its name differs between versions
        grey(ax, values[:, None], x, y, width, height, limits, interpolation=how)
        edges = np.linspace(y - height / 2, y + height / 2, len(values) + 1)[1:-1]
        if len(values) <= 32:
            ax.hlines(edges, x - width / 2, x + width / 2, color=FRAME, lw=0.6, zorder=3)
    box(ax, x, y, width, height, ec=color, lw=2.2, zorder=4, fc="none" if real else color)


def sheets(ax, values, x, y, side, color, real):
    """A volume, shape (channels, rows, columns), as stacked sheets; gives the middle of the front.

    1 + log2(channels) of them are drawn, those whose values differ most; the liveliest in front.
    """
    count = 1 + round(math.log2(len(values)))
    liveliest = np.argsort(-values.std((1, 2)), kind="stable")[:count]
    limits = (0, 1) if len(values) == 1 else (values.min(), values.max())
    for i, channel in enumerate(reversed(liveliest)):
        shift = 0.055 * side * ((count - 1) / 2 - i)
        if real:
            grey(ax, values[channel], x + shift, y + shift, side, side, limits)
        else:
            box(ax, x + shift, y + shift, side, side, fc="white")
            box(ax, x + shift, y + shift, side, side, fc=color, alpha=0.4)
        box(ax, x + shift, y + shift, side, side, ec=color, lw=1.6)
    return x + shift, y + shift


def funnel(ax, left, right, color):
    """The trapezoid of a dense layer between two edges, each (x, y, height)."""
    (x0, y0, h0), (x1, y1, h1) = left, right
    corners = [(x0, y0 - h0 / 2), (x0, y0 + h0 / 2), (x1, y1 + h1 / 2), (x1, y1 - h1 / 2)]
    ax.add_patch(Polygon(corners, fc=color, alpha=0.4, ec="none", zorder=1))


def arrow(ax, start, end, color=BLACK, **more):
    """An arrow between two points."""
    style = {"arrowstyle": "-|>", "mutation_scale": 18, "lw": 1.8, "zorder": 6, **more}
    ax.add_patch(FancyArrowPatch(start, end, color=color, shrinkA=0, shrinkB=0, **style))
