"""A convolution's window and its transpose, the stamp, with all their numbers."""

from lecture_utils.explorers.frame import explorer


def window_explorer():
    """A convolution on a small image, number by number, and the transposed one.

    The window (or the stamp) moves with mouse, touch or arrow keys; kernel, stride and padding can
    be chosen. Of an even image, equal weights of 3x3 at stride 2 paint a checkerboard; the tent
    1-2-1 does not.

    Returns
    -------
    IPython.display.HTML
    """
    return explorer("window", "What does a convolution compute, and its transpose?", {})
