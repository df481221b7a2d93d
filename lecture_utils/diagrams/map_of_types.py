"""The types of autoencoders side by side, each a small drawing of a model."""

import numpy as np
import torch
from torch import nn

from lecture_utils.autoencoders import (
    Autoencoder,
    VariationalAutoencoder,
    deep_autoencoder,
    mlp,
)
from lecture_utils.diagrams import pieces
from lecture_utils.diagrams.chain import draw_chain
from lecture_utils.diagrams.pieces import BLACK, FILL, INK, write
from lecture_utils.diagrams.recording import (
    State,
    one_example,
    record,
    record_variational,
    undisturbed,
)

WORDS = {
    "vanilla": "a narrow code",
    "deep": "more layers each way",
    "convolutional": "one window for all places",
    "contractive": "near images, near codes",
    "sparse": "few units on at a time",
    "denoising": "noise in, clean image out",
    "variational": "a code drawn at random",
}
# In grey print the place tells the parts apart.
LEGEND = {
    "encoder": "encoder $f$, left",
    "code": "code $z$, middle",
    "decoder": "decoder $g$, right",
}


def _examples():
    """A small model of each type."""
    wide = Autoencoder(nn.Sequential(nn.Linear(64, 128), nn.Sigmoid()), nn.Linear(128, 64))
    down = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 4, 4), nn.Flatten())
    up = nn.Sequential(nn.Unflatten(1, (16, 7, 7)), nn.ConvTranspose2d(16, 1, 4, 4), nn.Flatten())
    return {
        "vanilla": Autoencoder(mlp(64, 8), mlp(8, 64)),
        "deep": deep_autoencoder(30),
        "convolutional": Autoencoder(
            nn.Sequential(down, nn.Linear(784, 16)), nn.Sequential(nn.Linear(16, 784), up)
        ),
        "contractive": wide,
        "sparse": wide,
        "denoising": Autoencoder(mlp(64, 128), nn.Sequential(nn.ReLU(), nn.Linear(128, 64))),
        "variational": VariationalAutoencoder(mlp(64, 64, 16), mlp(8, 64, 64)),
    }


def draw_map_of_types(models=None, width=pieces.WIDTH, title=None, terms=None):
    """Draw the seven types of autoencoders of the course, each with one line of words.

    Parameters
    ----------
    models : dict of str to nn.Module, optional
        Drawn in place of small examples; names as in "vanilla", "deep", "convolutional",
        "contractive", "sparse", "denoising", "variational".
    width : float
        In inches; 11.6 for a whole slide.
    terms : dict of str to str, optional
        Written below a drawing in place of its words, e.g. its loss as TeX between dollars. The
        description keeps the words.

    Returns
    -------
    figure, alt : for `show`
    """
    models, terms = models or {}, terms or {}
    if unknown := [name for name in (*models, *terms) if name not in WORDS]:
        raise ValueError(f"no type {unknown[0]!r}: the types are {', '.join(WORDS)}")
    with torch.random.fork_rng(devices=[]):
        models = _examples() | models
    ax, height = pieces.canvas(width, title)
    wide, high, told = width / 4, height / 2, []
    for i, (name, words) in enumerate(WORDS.items()):
        left, bottom = i % 4 * wide, (1 - i // 4) * high
        write(ax, left + wide / 2, bottom + high - 0.25, name, 17, weight="bold")
        write(ax, left + wide / 2, bottom + 0.25, terms.get(name, words))
        sizes = _draw_icon(ax, name, models[name], left, bottom, wide, high)
        told.append(f"{name}, {words}: {', '.join(sizes)}")
    for i, (part, text) in enumerate(LEGEND.items()):
        y = high / 2 + 0.45 * (1 - i)
        pieces.box(ax, 3 * wide + 0.75, y, 0.36, 0.26, fc=FILL[part])
        write(ax, 3 * wide + 1.05, y, text, color=INK[part], ha="left")
    alt = "Seven types of autoencoders, each with the sizes of its layers. "
    return pieces.finished(ax), alt + "; ".join(told) + "."


def _draw_icon(ax, name, model, left, bottom, wide, high):
    """A model without words, and what is special of its type; returns its sizes."""
    y, full = bottom + high / 2, high - 1.05
    with undisturbed(model):
        x = one_example(model, None)
        if name == "variational":
            before, after = record_variational(model, x, seed=0)
            # The code, drawn, stands for the heads that it is drawn from.
            states = before.states[:-1] + after.states
            steps = before.steps + after.steps
        else:
            recording = record(model, x)
            states, steps = recording.states, recording.steps
    code = next(i for i, state in enumerate(states) if state.part == "code")
    real = []
    if name == "sparse":
        real, on = [code], np.isin(_coarse(states[code], 20), (3, 9, 14))
        states[code] = State("code", on.astype(float))
    if name == "denoising":
        real, noise = [0], np.random.default_rng(0).uniform(size=16)
        states[0] = State("encoder", noise[_coarse(states[0], 16)])
    xs = list(np.linspace(left + 0.45, left + wide - 0.45, len(states)))
    # Volumes count as well: the code of a convolutional one must not look larger than its image.
    largest = max(state.values.size for state in states)
    edges = draw_chain(ax, states, steps, xs, y, full, real, largest)
    if name == "contractive":
        for k in np.linspace(-1, 1, 5):
            heights = y + 0.4 * k * edges[0][2], y + 0.06 * k * edges[code][2]
            ax.plot([xs[0], xs[code]], heights, color=BLACK, lw=1.4, ls="-", zorder=5)
    if name == "variational":
        ax.plot(xs[code], y, "o", ms=36, mfc="white", mec=INK["code"], mew=2.2, zorder=6)
        t = np.linspace(-1, 1, 50)
        bell = y - 0.11 + 0.26 * np.exp(-7 * t**2)
        ax.plot(xs[code] + 0.19 * t, bell, color=INK["code"], lw=2.2, ls="-", zorder=7)
    return [state.size for state in states]


def _coarse(state, n):
    """For each unit in which of `n` blocks it lies: so that single cells can be seen."""
    return np.arange(state.values.size) * n // state.values.size
