"""The plane of a decoder with two latents, decoded where a point stands."""

import base64

import numpy as np

from lecture_utils.explorers.frame import explorer

MOST_CODES = 300


def latent_explorer(layers, codes, labels):
    """The plane of two latent numbers, each point of which is decoded to an image where it stands.

    All that was trained, the numbers of the layers and the codes, is in one attribute,
    `data-trained`; nothing else in the output depends on it.

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
    given = {
        "sizes": [2, *(len(bias) for _, bias in layers)],
        "labels": "".join(str(int(label)) for label in labels),
    }
    title = "What does the decoder draw here?"
    return explorer("latent", title, given, trained=_as_text(layers, codes))


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
