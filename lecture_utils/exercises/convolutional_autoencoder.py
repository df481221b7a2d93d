"""Exercises on the size of an image between layers, and on how much of it one pixel sees."""

import math
from itertools import accumulate
from operator import mul

import numpy as np
import torch
from torch import nn

from lecture_utils.exercises.building import Building, Outcome, new_digits, tensor
from lecture_utils.exercises.exercise import Exercise, Wrong


def layer_cases(rng):
    """Single layers by hand, then a way down and up again, then layers in any order."""
    small = [
        (28, [[0, 3, 2, 1, 0]]),
        (14, [[1, 3, 2, 1, 1]]),
        (5, [[0, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 3, 1, 1, 0], [0, 2, 3, 0, 0], [1, 2, 3, 0, 2]]),
        (1, [[1, 4, 2, 1, 0]]),
        (30, [[0, 7, 2, 2, 0], [0, 4, 3, 1, 0], [1, 4, 3, 1, 2], [1, 3, 2, 1, 1]]),
    ]
    cases = [(n, np.array(layers)) for n, layers in small]
    for n in rng.integers(30, 90, 2):
        layers = []
        for transposed in rng.permutation([0, 0, 1, 1]):
            k, s = rng.integers(3, 6), rng.integers(2, 4)
            p = rng.integers(1, (k + 1) // 2)
            layers.append([transposed, k, s, p, transposed * rng.integers(1, s)])
        cases.append((int(n), np.array(layers)))
    return cases


def sizes_by_doing(n, layers):
    """Do it to a row of n ones: slide the window, or paint."""
    row = np.ones(n)
    sizes = [n]
    for transposed, k, s, p, o in layers:
        if transposed:
            apart = np.zeros((len(row) - 1) * s + 1)
            apart[::s] = row
            painted = np.convolve(apart, np.ones(k))
            row = np.append(painted[p : len(painted) - p], np.zeros(o))
        else:
            framed = np.concatenate([np.zeros(p), row, np.zeros(p)])
            row = np.convolve(framed, np.ones(k), mode="valid")[::s]
        sizes.append(len(row))
    return np.array(sizes)


def sizes_loop(n, layers):
    """Count the places of the window one by one; a painted row ends where its last window does."""
    sizes = [n]
    for transposed, k, s, p, o in layers.tolist():
        if transposed:
            end = -p
            for _ in range(sizes[-1]):
                last, end = end + k, end + s
            sizes.append(last - p + o)
        else:
            start, places = -p, 0
            while start + k <= sizes[-1] + p:
                start, places = start + s, places + 1
            sizes.append(places)
    return sizes


def conv(n, k, s, p, o):
    return (n + 2 * p - k) // s + 1


def up(n, k, s, p, o):
    return (n - 1) * s + k - 2 * p + o


def tracing(down, up):
    """Turn two formulas for the size after one layer into an answer."""

    def answer(n, layers):
        sizes = [n]
        for transposed, *numbers in np.asarray(layers).tolist():
            sizes.append((up if transposed else down)(sizes[-1], *numbers))
        return sizes

    return answer


ONE_FRAME = "the frame has p pixels on both sides: padding counts twice"

IMAGE_SIZES = Exercise(
    name="image_sizes",
    cases=layer_cases,
    oracle=lambda n, layers: sizes_by_doing(n, layers),
    second_answer=sizes_loop,
    mistakes=(
        (
            tracing(
                lambda n, k, s, p, o: (n + p - k) // s + 1,
                lambda n, k, s, p, o: (n - 1) * s + k - p + o,
            ),
            ONE_FRAME,
        ),
        (
            tracing(lambda n, k, s, p, o: (n + p - k) // s + 1, up),
            f"convolution: {ONE_FRAME}",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: (n - 1) * s + k - p + o),
            "transposed convolution: p pixels are cut off at both ends, padding counts twice",
        ),
        (
            tracing(lambda n, k, s, p, o: math.ceil((n + 2 * p - k) / s) + 1, up),
            "convolution: a window that sticks out is not used, so round down, not up",
        ),
        (
            tracing(lambda n, k, s, p, o: (n + 2 * p - k) / s + 1, up),
            "convolution: sizes are whole numbers, round the fraction down with //",
        ),
        (
            tracing(lambda n, k, s, p, o: (n + 2 * p - k) // s, up),
            "convolution: the + 1 is missing, for the first place of the window",
        ),
        (
            tracing(lambda n, k, s, p, o: (n + 2 * p - k + 1) // s, up),
            "convolution: the 1 is added after rounding down, not before",
        ),
        (
            tracing(lambda n, k, s, p, o: n // s, up),
            "convolution: n divided by the stride holds for some layers only; kernel and padding "
            "matter",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: (n - 1) * s + k - 2 * p),
            "transposed convolution: output_padding is forgotten",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + 2 * o),
            "transposed convolution: output_padding is added at one end only, so it counts once",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: n * s + k - 2 * p + o),
            "transposed convolution: n painted windows have n - 1 steps between them, not n",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: n * s),
            "transposed convolution: n times the stride holds for some layers only; kernel, "
            "padding and output_padding matter",
        ),
        (
            tracing(conv, lambda n, k, s, p, o: (n - 1) * s + k + 2 * p + o),
            "transposed convolution: padding is cut off, so it is subtracted",
        ),
        (
            tracing(conv, conv),
            "this takes all layers for convolutions: those with a 1 in front are transposed",
        ),
        (
            lambda n, layers: tracing(conv, up)(n, layers)[1:],
            "the first entry is missing: n itself, the size before the first layer",
        ),
        (
            lambda n, layers: tracing(conv, up)(n, layers)[-1],
            "this is the last size only; the exercise asks for all, beginning with n",
        ),
        (
            lambda n, layers: [n, *(tracing(conv, up)(n, [layer])[1] for layer in layers)],
            "every layer starts from n here: it starts from what the layer before left",
        ),
    ),
    hints=(
        "What one layer makes of n, the next layer takes for its n.",
        "The lecture has a formula for each kind. Only output_padding is new: so many pixels are "
        "added at one end of what a transposed convolution gives.",
        "Start with sizes = [n]. In `for transposed, k, s, p, o in layers` append "
        "(sizes[-1] - 1) * s + k - 2 * p + o for a transposed convolution, and the lecture's "
        "formula with // otherwise.",
    ),
)


def field_cases(rng):
    """By hand, then stacks in which no stride is larger than its kernel, so nothing is skipped."""
    small = [
        [[3, 1, 1]],
        [[3, 2, 1], [3, 2, 1]],
        [[1, 1, 0]],
        [[1, 1, 0], [4, 4, 0], [1, 1, 3], [2, 1, 0]],
        [[2, 2, 0], [5, 1, 2], [3, 3, 1], [4, 2, 1]],
    ]
    cases = [np.array(layers) for layers in small]
    for m in (3, 4, 5):
        k = rng.integers(2, 6, m)
        s = np.minimum(rng.integers(1, 4, m), k)
        cases.append(np.stack([k, s, rng.integers(0, 3, m)], axis=1))
    return [(layers,) for layers in cases]


def seen_pixels(layers):
    """Collect the pixels that one output pixel depends on, layer by layer, from the last one."""
    seen = np.array([0])
    for k, s, _ in layers[::-1]:
        seen = np.unique(seen[:, None] * s + np.arange(k))
    return len(seen)


def field_forwards(layers):
    """Each layer widens the field by k - 1 steps, as long as all strides before it together."""
    field, step = 1, 1
    for k, s, _ in layers.tolist():
        field += (k - 1) * step
        step *= s
    return field


def one_step_too_far(layers):
    field = 1
    for k, s, _ in layers[::-1]:
        field = field * s + k - 1
    return field


def steps_before(layers):
    """For each layer, the product of the strides before it."""
    return np.array([1, *accumulate(layers[:-1, 1], mul)])


def widening(steps):
    """Turn a rule for the step of each layer into an answer."""
    return lambda layers: 1 + np.sum((layers[:, 0] - 1) * steps(layers))


RECEPTIVE_FIELD = Exercise(
    name="receptive_field",
    cases=field_cases,
    oracle=lambda layers: seen_pixels(layers),
    second_answer=field_forwards,
    mistakes=(
        (
            one_step_too_far,
            "r pixels next to each other are r - 1 steps apart: from layer to layer the field is "
            "(r - 1) s + k, and not r s + k - 1",
        ),
        (
            widening(lambda layers: 1),
            "this is the report's number, which ignores the strides: after a stride of 2, "
            "neighbouring pixels are 2 input pixels apart",
        ),
        (
            lambda layers: layers[:, 0].sum(),
            "this is the sum of the kernels: neighbouring windows overlap, and strides matter",
        ),
        (
            lambda layers: layers[:, 0].prod(),
            "this is the product of the kernels: neighbouring windows overlap",
        ),
        (
            widening(lambda layers: steps_before(layers) * layers[:, 1]),
            "the strides are off by one layer: the stride of a layer spreads the windows of the "
            "layers after it, not its own",
        ),
        (
            widening(lambda layers: [1, *layers[:-1, 1]]),
            "this takes the stride of the layer before only: the strides of all layers before it "
            "multiply",
        ),
        (
            widening(lambda layers: layers[:, 1]),
            "this takes each layer's own stride: the strides of all layers before it multiply",
        ),
        (
            lambda layers: field_forwards(layers[::-1]),
            "the layers are taken in the wrong order: the first one is next to the image",
        ),
        (
            lambda layers: field_forwards(layers) - 1,
            "the 1 at the start is missing: without any layer a pixel sees itself",
        ),
        (
            lambda layers: field_forwards(layers) + 2 * layers[:, 2].sum(),
            "padding moves the window and does not widen it: leave it out",
        ),
        (
            lambda layers: field_forwards(layers) - 2 * layers[:, 2].sum(),
            "padding moves the window and does not narrow it: leave it out",
        ),
        (
            lambda layers: field_forwards(layers) - 2 * np.sum(layers[:, 2] * steps_before(layers)),
            "padding moves the window and does not narrow it: leave it out",
        ),
        (
            lambda layers: layers[:, 1].prod(),
            "this is how far apart neighbouring output pixels are; the exercise asks for how "
            "wide they see",
        ),
        (
            lambda layers: field_forwards(layers) ** 2,
            "this is the number of pixels in the square; the exercise asks for its width",
        ),
    ),
    hints=(
        "Start at the end: one pixel of the last layer sees k pixels of the layer before. How many "
        "does a group of r neighbouring pixels see?",
        "The windows of r neighbours start s pixels apart: from the first window's start to the "
        "last one's it is (r - 1) * s pixels, and the last window is k wide.",
        "Start with r = 1 and go through layers[::-1]: r = (r - 1) * s + k.",
    ),
)


def kernel_trial(learn, rng):
    """Pictures made with a kernel that only the check knows, from images and from noise."""
    digits = new_digits(rng)
    x = digits.x_train[:200].reshape(-1, 8, 8)
    kernel = rng.uniform(-1.5, 1.5, (3, 3))
    y = convolved(x, kernel)
    returned = learn(tensor(x), tensor(y))
    if returned is None:
        raise Wrong("it returned None: is a `return` missing?")
    if isinstance(returned, torch.nn.Module):
        raise Wrong("it returned a layer; the exercise asks for its nine weights, shape (3, 3)")
    found = returned.detach() if isinstance(returned, torch.Tensor) else returned
    found = np.asarray(found, dtype=np.float64)
    if found.shape != (3, 3):
        raise Wrong(f"the kernel has shape {found.shape}; the exercise asks for (3, 3)")
    if not np.isfinite(found).all():
        raise Wrong("the kernel holds NaN or infinity: did the training diverge? Lower its rate")
    mine = convolved(x, found)
    return Outcome(kernel_fault(found, kernel), lambda: draw_kernel(x, y, mine, kernel, found))


def convolved(x, kernel):
    """The lecture's convolution with stride 1 and padding 1, window by window."""
    framed = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(1, 2))
    return np.einsum("nijkl,kl->nij", windows, kernel)


def kernel_fault(found, kernel):
    def near(other, tolerance=0.02):
        return np.abs(found - other).max() < tolerance

    if near(kernel):
        return None
    if near(kernel[::-1, ::-1]):
        return (
            "the kernel is turned by half a circle: torch and the lecture do not turn it before "
            "it slides, as a convolution in mathematics does"
        )
    if near(kernel.T):
        return "rows and columns of the kernel are exchanged"
    if np.abs(found).max() < 0.02:
        return "all weights are about zero: was it trained, and is `y` in the loss?"
    off = np.abs(found - kernel).max()
    return (
        f"one of the nine weights is off by {off:.2f}, at most 0.02 will do: is the window in its "
        "place (padding 1), is there one bias too many, was it trained long enough?"
    )


def draw_kernel(x, y, mine, kernel, found):
    """Three images, what the kernel made of them, what yours makes; then both kernels."""
    import matplotlib.pyplot as plt

    from lecture_utils.plotting import show

    figure, axes = plt.subplots(3, 4, figsize=(6.4, 4.8), layout="constrained")
    columns = zip(axes.T, x, y, mine, strict=False)
    for column, *images in [next(columns) for _ in range(3)]:
        for ax, image in zip(column, images, strict=True):
            ax.imshow(image, cmap="gray_r")
    axes[1, 3].imshow(kernel, cmap="PuOr_r", vmin=-2, vmax=2)
    axes[2, 3].imshow(found, cmap="PuOr_r", vmin=-2, vmax=2)
    axes[0, 3].axis("off")
    axes[0, 3].text(0.5, 0, "kernel\norange: positive\nviolet: negative", ha="center", fontsize=9)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    for ax, name in zip(axes[:, 0], ("image x", "given y", "yours"), strict=True):
        ax.set_ylabel(name)
    show(figure, "Three digits, what an unknown kernel made of them, what the learned one makes.")


def kernel_by_training(flip=False, padding=1, bias=False, steps=600, loss=None):
    """An answer that trains one convolution."""

    def learn(x, y):
        layer = nn.Conv2d(1, 1, 3, padding=padding, bias=bias)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        for _ in range(steps):
            y_hat = layer(x[:, None])[:, 0]
            target = y if padding == 1 else y[:, :6, :6]
            value = loss(y_hat, x) if loss else ((y_hat - target) ** 2).mean()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        kernel = layer.weight[0, 0]
        return kernel.flip(0, 1) if flip else kernel

    return learn


def kernel_by_least_squares(x, y):
    """Every output pixel is an equation for nine unknown weights."""
    framed = np.pad(x.numpy().astype(float), ((0, 0), (1, 1), (1, 1)))
    shifted = [framed[:, i : i + 8, j : j + 8].ravel() for i in range(3) for j in range(3)]
    return np.linalg.lstsq(np.stack(shifted, axis=1), y.numpy().ravel(), rcond=None)[0].reshape(
        3, 3
    )


LEARN_KERNEL = Building(
    name="learn_kernel",
    trial=kernel_trial,
    parameters=["x", "y"],
    second_answer=kernel_by_least_squares,
    mistakes=(
        (kernel_by_training(flip=True), "turned by half a circle"),
        (lambda x, y: kernel_by_training()(x, y).T, "exchanged"),
        (kernel_by_training(padding=0), "padding 1"),
        (kernel_by_training(steps=5), "long enough"),
        (kernel_by_training(bias=True, steps=20), "long enough"),
        (kernel_by_training(loss=lambda y_hat, x: ((y_hat - x) ** 2).mean()), "off by"),
        (lambda x, y: nn.Conv2d(1, 1, 3, padding=1), "asks for its nine weights"),
        (
            lambda x, y: kernel_by_training()(x, y)[None, None],
            r"shape \(1, 1, 3, 3\); the exercise asks for \(3, 3\)",
        ),
        (lambda x, y: np.zeros((3, 3)), "about zero"),
    ),
    hints=(
        "Which layer of torch does what made y from x? It has nine weights and no bias.",
        "nn.Conv2d(1, 1, 3, padding=1, bias=False) wants a channel: x[:, None] has shape "
        "(n, 1, 8, 8). Train it with the squared error against y[:, None].",
        "An Adam optimizer with lr=0.1 and 600 steps of the mean squared error on all images at "
        "once are enough. Return layer.weight[0, 0].",
    ),
)

EXERCISES = (IMAGE_SIZES, RECEPTIVE_FIELD, LEARN_KERNEL)
