"""The look of the course's figures, and how they are shown."""

from base64 import b64encode
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.text import Text
from PIL import Image

# Okabe and Ito's palette, which colour-blind readers can tell apart. P, Q and R keep their colour
# and line style through the whole course, so that a figure in grey print can still be read.
P_STYLE = {"color": "#0072B2", "linestyle": "-"}
Q_STYLE = {"color": "#D55E00", "linestyle": "--"}
R_STYLE = {"color": "#007A5A", "linestyle": "-."}
GREY = "#5F6368"


def use_course_style():
    """Set matplotlib's defaults for the course: quiet axes, large type, the palette above."""
    plt.rcParams.update(
        {
            "figure.figsize": (8.5, 3.6),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "font.size": 12,
            "axes.titlesize": 13,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(
                color=["#0072B2", "#D55E00", "#007A5A", "#AA4499", "#5F6368"],
                linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1))],
            ),
            "lines.linewidth": 2,
            "legend.frameon": False,
        }
    )


def show(figure, alt):
    """Show `figure` with `alt`, the text that says in words what is to be seen, and close it."""
    if not alt.strip():
        raise ValueError("show needs alt: one or two sentences that say what the figure shows")
    picture, small = BytesIO(), BytesIO()
    # Twice as many pixels as it is wide: sharp on a projector, too.
    figure.savefig(picture, dpi=2 * figure.dpi, bbox_inches="tight")
    plt.close(figure)
    # With a palette a picture has a third of the size; a notebook holds many of them.
    image = Image.open(picture).convert("RGB").quantize(256)
    image.save(small, "png", optimize=True)
    data = {"image/png": b64encode(small.getvalue()).decode(), "text/plain": repr(figure)}
    # Fewer than 100 pixels an inch save bytes; such a picture is shown as large as with 100.
    shrunk = 2 * min(figure.dpi / 100, 1)
    shown = {
        "width": int(image.width / shrunk),
        "height": int(image.height / shrunk),
        # The smallest type's height as a share of the width: is it large enough on a slide?
        "type_share": round(2 * smallest_type(figure) / 72 * figure.dpi / image.width, 5),
    }
    display(data, raw=True, metadata={"image/png": {"alt": " ".join(alt.split()), **shown}})


def smallest_type(figure):
    """The size in points of the smallest words in `figure`; 0 where there are none."""
    words = [
        text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()
    ]
    return min((text.get_fontsize() for text in words), default=0)


def show_images(rows, names, title, alt):
    """Show rows of square grey images, dark on light, each row with its name at the left.

    Parameters
    ----------
    rows : list of arrays, shape (n, d) with d a square number
    names : list of str, one a row
    title, alt : str
    """
    n_columns, side = len(rows[0]), round(len(rows[0][0]) ** 0.5)
    figure, axes = plt.subplots(
        len(rows),
        n_columns,
        figsize=(0.75 * n_columns + 1.3, 0.8 * len(rows) + 0.35),
        squeeze=False,
        dpi=80,
    )
    for axes_row, images, name in zip(axes, rows, names, strict=True):
        for ax, image in zip(axes_row, images, strict=True):
            ax.imshow(np.reshape(image, (side, side)), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        axes_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=14)
    figure.suptitle(title, weight="bold", fontsize=16)
    show(figure, alt)
