"""Drawings against the models they are read off: sizes, names, pixels, words, legibility."""

import itertools
import math

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn
from torch.nn import functional

from lecture_utils.autoencoders import (
    Autoencoder,
    VariationalAutoencoder,
    convolutional_autoencoder,
    deep_autoencoder,
    mlp,
)
from lecture_utils.diagrams import (
    draw_convolution,
    draw_map_of_types,
    draw_network,
    draw_transposed_convolution,
    draw_variational,
)
from lecture_utils.plotting import P_STYLE, Q_STYLE, R_STYLE, show, use_course_style


class KeepLargest(nn.Module):
    """As in lecture 12: all but the k largest become zero."""

    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, h):
        kept = h.topk(self.k, dim=-1)
        return torch.zeros_like(h).scatter(-1, kept.indices, kept.values)


def sparse(k=6):
    return Autoencoder(
        nn.Sequential(nn.Linear(64, 128), nn.ReLU(), KeepLargest(k)), nn.Linear(128, 64)
    )


MODELS = {
    "vanilla": (lambda: Autoencoder(nn.Linear(64, 8), nn.Linear(8, 64)), 64),
    "deep": (lambda: deep_autoencoder(30), 784),
    "convolutional": (lambda: convolutional_autoencoder(32), 784),
    "activation first": (
        lambda: Autoencoder(mlp(64, 128), nn.Sequential(nn.ReLU(), nn.Linear(128, 64))),
        64,
    ),
    "sparse": (sparse, 64),
    "denoiser": (lambda: nn.Sequential(mlp(784, 512, 784), nn.Sigmoid()), 784),
    "plane": (lambda: Autoencoder(mlp(2, 32, 1), mlp(1, 32, 2)), 2),
}


def variational():
    return VariationalAutoencoder(
        mlp(784, 512, 128, 2 * 16), nn.Sequential(mlp(16, 128, 512, 784), nn.Sigmoid())
    )


@pytest.fixture(autouse=True)
def _style():
    with matplotlib.rc_context():
        use_course_style()
        torch.manual_seed(0)
        yield
    plt.close("all")


def written(figure, kind):
    """The texts of one kind from left to right, those above one another from top to bottom."""
    texts = [text for text in figure.axes[0].texts if text.get_gid() == kind]
    texts.sort(key=lambda text: (round(text.get_position()[0], 4), -text.get_position()[1]))
    return [text.get_text() for text in texts]


def columns(figure):
    """The names of modules, one list for each place."""
    texts = [text for text in figure.axes[0].texts if text.get_gid() == "step"]
    places = sorted({round(text.get_position()[0], 4) for text in texts})
    return [
        [text.get_text() for text in texts if round(text.get_position()[0], 4) == place]
        for place in places
    ]


def pixels(figure):
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def holds(figure, values):
    """Whether the values, and no others, are drawn as one of the figure's images."""
    values = values.detach().double().numpy().ravel()
    return any(a.size == values.size and np.allclose(a.ravel(), values) for a in pixels(figure))


def assert_legible(figure):
    figure.canvas.draw()
    inside = figure.bbox
    assert inside.width <= 1161  # pixels of a slide, 100 to the inch
    ax = figure.axes[0]
    assert not ax.axison  # no ticks with texts of their own
    assert min(text.get_fontsize() for text in ax.texts) * 100 / 72 >= 20  # pixels
    boxes = [text.get_window_extent() for text in ax.texts]
    for a, b in itertools.combinations(boxes, 2):
        over = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert over[0] < 1 or over[1] < 5
    for artist in (*ax.texts, *ax.patches, *ax.images, *ax.lines):
        box = artist.get_window_extent()
        assert min(box.x0, box.y0, inside.x1 - box.x1, inside.y1 - box.y1) >= 0, artist


def assert_plain(alt):
    assert not set(alt) & set("$\\{}_^"), alt


def sizes_by_hand(model, x):
    """What a forward pass, part by part and layer by layer, says about sizes: no hooks."""
    sizes, tensor = [], x[None]
    flat = [layer for layer in model.modules() if not list(layer.children())]
    for layer in flat:
        before, tensor = tensor, layer(tensor)
        if list(layer.parameters()):
            sizes.append((tuple(before.shape[1:]), tuple(tensor.shape[1:])))
    return sizes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", MODELS)
def test_sizes_names_and_counts_are_the_models(name, dtype):
    make, n = MODELS[name]
    model, x = make().to(dtype), torch.rand(n, dtype=dtype)
    figure, alt = draw_network(model, x)
    layers = [layer for layer in model.modules() if list(layer.parameters(recurse=False))]
    by_hand = sizes_by_hand(model, x)
    sizes = [size.split(",")[0] for size in written(figure, "size")]
    assert len(sizes) == len(layers) + 1
    for size, (_, after) in zip(sizes[1:], by_hand, strict=True):
        assert math.prod(map(int, size.split("×"))) == math.prod(after)
        assert size == "×".join(map(str, after)) or "×" in size
        assert size in alt
    assert math.prod(map(int, sizes[0].split("×"))) == n
    kinds = {nn.Linear: "linear", nn.Conv2d: "conv", nn.ConvTranspose2d: "convᵀ"}
    for words, layer in zip(columns(figure), layers, strict=True):
        (first,) = [word for word in words if word.split()[0] in kinds.values()]
        assert first.split()[0] == kinds[type(layer)]
        if not isinstance(layer, nn.Linear):
            assert first.endswith(f" {layer.kernel_size[0]}×{layer.kernel_size[1]}")
            assert f"stride {layer.stride[0]}" in words
    bends = {nn.ReLU: "ReLU", nn.Sigmoid: "sigmoid", KeepLargest: "KeepLargest"}
    drawn = [word for words in columns(figure) for word in words if word in bends.values()]
    assert drawn == [bends[type(m)] for m in model.modules() if type(m) in bends]
    parts = [model.encoder, model.decoder] if hasattr(model, "encoder") else [model]
    counts = [sum(weights.numel() for weights in part.parameters()) for part in parts]
    assert written(figure, "parameters") == [f"{count:,} parameters" for count in counts]
    for count in (*counts, sum(counts)):
        assert f"{count:,} parameters" in alt
    assert_plain(alt)


@pytest.mark.parametrize("width", [8.5, 11.6])
@pytest.mark.parametrize("name", MODELS)
def test_legible_with_values_without_and_with_a_title(name, width):
    make, n = MODELS[name]
    for arguments in ({}, {"x": torch.rand(n)}, {"x": torch.rand(n), "title": "A network"}):
        figure, _ = draw_network(make(), width=width, **arguments)
        assert_legible(figure)
        titles = [text for text in figure.axes[0].texts if text.get_text() == "A network"]
        assert len(titles) == ("title" in arguments)


@pytest.mark.parametrize("name", ["vanilla", "deep", "convolutional", "denoiser"])
def test_pixels_are_those_of_the_model(name):
    make, n = MODELS[name]
    model, x = make().double(), torch.rand(n, dtype=torch.float64)
    figure, _ = draw_network(model, x)
    assert holds(figure, x)
    assert holds(figure, model(x[None]))
    assert not holds(figure, 1 - x)
    if name != "denoiser":
        assert holds(figure, model.encoder(x[None]))
    assert pixels(draw_network(model)[0]) == []


def test_every_layer_has_its_own_values():
    model, x = deep_autoencoder(30).double(), torch.rand(784, dtype=torch.float64)
    figure, _ = draw_network(model, x)
    tensor = x[None]
    for layer in (layer for layer in model.modules() if not list(layer.children())):
        tensor = layer(tensor)
        if isinstance(layer, nn.ReLU | nn.Sigmoid):
            assert holds(figure, tensor)


@pytest.mark.parametrize("name", ["activation first", "denoiser", "convolutional"])
def test_with_noise_the_noisy_image_goes_in(name):
    make, n = MODELS[name]
    model, x, noise = make().double(), *torch.rand(2, n, dtype=torch.float64)
    figure, alt = draw_network(model, x, noise)
    assert_legible(figure)
    for image in (x, x + noise, model((x + noise)[None])):
        assert holds(figure, image)
    assert not holds(figure, model(x[None]))
    assert "noise" in alt
    assert "+ noise" in [text.get_text() for text in figure.axes[0].texts]


def test_units_that_are_off_are_white_and_counted():
    for k in (6, 11):
        model, x = sparse(k).double(), torch.rand(64, dtype=torch.float64)
        figure, alt = draw_network(model, x)
        assert written(figure, "size") == ["64", f"128, {k} on", "64"]
        assert f"Of the 128 units of the code {k} are on" in alt
        (code,) = [image for image in figure.axes[0].images if image.get_array().size == 128]
        grey = code.to_rgba(code.get_array(), norm=True)[..., 0].ravel()
        assert (grey == 1).sum() == 128 - k
    assert written(draw_network(sparse())[0], "size") == ["64", "128", "64"]  # no example
    full = Autoencoder(nn.Linear(64, 8), nn.Linear(8, 64))
    assert written(draw_network(full, torch.rand(64))[0], "size") == ["64", "8", "64"]


@pytest.mark.parametrize(
    ("place", "module"),
    [
        (("encoder", 2), nn.Tanh()),
        (("encoder", 1), nn.Conv2d(1, 16, 5, stride=2, padding=2)),
        (("decoder", 3), nn.ConvTranspose2d(32, 16, 2, stride=2)),
    ],
)
def test_a_changed_model_changes_drawing_and_words(place, module):
    model = convolutional_autoencoder(32)
    before, words = draw_network(model)
    part, i = place
    getattr(model, part)[i] = module
    after, other_words = draw_network(model)
    assert columns(before) != columns(after)
    assert words != other_words


def test_the_window_is_where_the_stride_puts_it():
    def windows(model):
        figure, _ = draw_network(model)
        marked = [p for p in figure.axes[0].patches if to_hex(p.get_edgecolor()) == "#ffd84d"]
        return [patch.get_width() for patch in marked]

    # One cell of the map and the window over the image: 3 of 28 pixels, then 5.
    encoder, decoder = convolutional_autoencoder(32).children()
    (_, three), (_, five) = (
        windows(Autoencoder(nn.Sequential(nn.Unflatten(1, (1, 28, 28)), conv, *rest), decoder))[:2]
        for rest in [list(encoder)[2:]]
        for conv in (encoder[1], nn.Conv2d(1, 16, 5, stride=2, padding=2))
    )
    assert three / five == pytest.approx(3 / 5)


class Functional(nn.Module):
    """A relu that no module shows; with these weights it changes nothing at a positive x."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 8)
        nn.init.constant_(self.linear.weight, 1.0)

    def forward(self, x):
        return torch.relu(self.linear(x))


class Shortcut(nn.Module):
    """As in lecture 09."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 64)

    def forward(self, x):
        return x + self.linear(x)


class Twice(nn.Module):
    """Two heads side by side, which are no chain."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(64, 4), nn.Linear(64, 4)

    def forward(self, x):
        return torch.cat([self.a(x), self.b(x)], -1)


class Residual(Autoencoder):
    def forward(self, x):
        return x + super().forward(x)


class Swapped(VariationalAutoencoder):
    def encode(self, x):
        return super().encode(x)[::-1]


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda x: draw_network(Autoencoder(Functional(), nn.Linear(8, 64)), x), "nn.ReLU()"),
        (
            lambda x: draw_network(Autoencoder(Shortcut(), nn.Linear(64, 64)), x),
            "the encoder does",
        ),
        (
            lambda x: draw_network(Autoencoder(nn.Linear(64, 64), Shortcut()), x),
            "the decoder does",
        ),
        (lambda x: draw_network(Autoencoder(Twice(), nn.Linear(8, 64)), x), "the encoder does"),
        (lambda x: draw_network(Residual(mlp(64, 8), mlp(8, 64)), x), "draw the parts alone"),
        (lambda x: draw_variational(Swapped(mlp(64, 16), mlp(8, 64)), x), "the mean, then"),
        (lambda x: draw_variational(Autoencoder(mlp(64, 8), mlp(8, 64)), x), "draw_network"),
        (lambda x: draw_network(Autoencoder(mlp(64, 8), mlp(8, 64)), x[:32]), "64 numbers"),
        (lambda x: draw_network(Autoencoder(mlp(64, 8), mlp(8, 64)), x[None]), "x_test[0]"),
        (lambda x: draw_network(nn.Conv2d(1, 4, 3)), "give an example"),
        (lambda x: draw_network(deep_autoencoder(30), width=4), "larger width"),
        (lambda x: draw_map_of_types({"shallow": mlp(64, 8)}), "the types are"),
        (lambda x: draw_map_of_types(terms={"shallow": "L"}), "the types are"),
    ],
)
def test_refused_in_one_line_and_nothing_is_left_behind(draw, words, monkeypatch):
    hooked, register = [], nn.Module.register_forward_hook
    monkeypatch.setattr(
        nn.Module, "register_forward_hook", lambda m, *a: hooked.append(m) or register(m, *a)
    )
    with pytest.raises(ValueError, match=r".") as refusal:
        draw(torch.rand(64))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert plt.get_fignums() == []
    assert not any(module._forward_hooks for module in hooked)
    assert all(module.training for module in hooked)


def test_state_is_as_it_was():
    model = Autoencoder(
        nn.Sequential(nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout()), nn.Linear(8, 64)
    )
    model.encoder[2].eval()  # modes differ between modules
    modes = [module.training for module in model.modules()]
    stored = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    draw_network(model, torch.rand(64, generator=torch.Generator().manual_seed(1)))
    draw_map_of_types()
    assert torch.equal(state, torch.get_rng_state())
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(stored[name], value) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(weights.grad is None and weights.requires_grad for weights in model.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_variational(dtype):
    model, x = variational().to(dtype), torch.rand(784, dtype=dtype)
    state = torch.get_rng_state()
    figure, alt = draw_variational(model, x, seed=3)
    assert torch.equal(state, torch.get_rng_state())
    assert written(figure, "size") == ["784", "512", "128", "2·16", "16", "128", "512", "784"]
    counts = [sum(w.numel() for w in part.parameters()) for part in (model.encoder, model.decoder)]
    assert written(figure, "parameters") == [f"{count:,} parameters" for count in counts]
    mean, log_var = model.encode(x[None])
    eps = torch.randn(1, 16, generator=torch.Generator().manual_seed(3), dtype=dtype)
    z = torch.distributions.Normal(mean, torch.exp(log_var / 2)).icdf(
        torch.distributions.Normal(0, 1).cdf(eps)
    )
    assert any(
        a.size == 16 and np.allclose(a.ravel(), z[0].detach(), atol=1e-5) for a in pixels(figure)
    )
    assert holds(figure, mean)
    assert holds(figure, log_var)
    drawn = model.decoder(mean + torch.exp(log_var / 2) * eps)
    assert holds(figure, drawn)
    assert not holds(figure, model.decoder(mean))
    assert "16 are the mean and 16 the log-variance" in alt
    assert f"{sum(counts):,} parameters" in alt
    assert_plain(alt)
    assert_legible(figure)
    digits = VariationalAutoencoder(mlp(64, 64, 16), mlp(8, 64, 64))
    assert_legible(draw_variational(digits, torch.rand(64), title="A draw")[0])
    plane = VariationalAutoencoder(mlp(2, 8, 4), mlp(2, 8, 2))  # no images
    assert_legible(draw_variational(plane, [0.5, -1.0])[0])


def matrix(figure, name, shape):
    """The numbers of the grid `name`, read from the picture."""
    texts = [text for text in figure.axes[0].texts if text.get_gid() == name]
    numbers = [(text, text.get_text().replace("−", "-")) for text in texts]
    cells = [(-t.get_position()[1], t.get_position()[0], float(n)) for t, n in numbers if n]
    return np.array(
        [value for *_, value in sorted(cells, key=lambda c: (round(c[0], 4), c[1]))]
    ).reshape(shape)


RNG = np.random.default_rng(0)
IMAGE, KERNEL = RNG.integers(0, 4, (5, 5)), RNG.integers(-2, 3, (3, 3))


@pytest.mark.parametrize(("stride", "padding", "n"), [(1, 0, 3), (2, 1, 3), (1, 1, 5)])
def test_numbers_of_a_convolution_are_torchs(stride, padding, n):
    theirs = functional.conv2d(
        torch.tensor(IMAGE)[None, None],
        torch.tensor(KERNEL)[None, None],
        stride=stride,
        padding=padding,
    )[0, 0].numpy()
    for at in ((0, 0), (1, 1), (n - 1, 1)):
        figure, alt = draw_convolution(IMAGE, KERNEL, stride, padding, at)
        assert_legible(figure)
        assert (matrix(figure, "output", (n, n)) == theirs).all()
        assert (matrix(figure, "kernel", (3, 3)) == KERNEL).all()
        side = 5 + 2 * padding
        assert (matrix(figure, "image", (side, side)) == np.pad(IMAGE, padding)).all()
        (line,) = written(figure, "sum")
        plain, _, others = line.replace("−", "-").replace("·", "*").partition("   (")
        products, value = plain.split(" = ")
        assert eval(products) == float(value) == theirs[at]
        terms = products.split(" + ")
        assert all(map(eval, terms))  # those that are 0 are only counted
        assert others == (f"the other {9 - len(terms)} are 0)" if len(terms) < 9 else "")
        assert line in alt
        assert_plain(alt)
        plt.close(figure)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_numbers_of_a_transposed_convolution_are_torchs(stride):
    small = IMAGE[:2, 1:3] + 1
    theirs = functional.conv_transpose2d(
        torch.tensor(small)[None, None], torch.tensor(KERNEL)[None, None], stride=stride
    )[0, 0].numpy()
    for at in ((0, 1), (1, 0)):
        figure, alt = draw_transposed_convolution(small, KERNEL, stride, at)
        assert_legible(figure)
        assert (matrix(figure, "output", theirs.shape) == theirs).all()
        assert (matrix(figure, "stamp", (3, 3)) == small[at] * KERNEL).all()
        twice = {1: 12, 2: 9, 3: 0}[stride]  # counted by hand
        assert alt.endswith(f"{twice} cells get more than one.")
        assert_plain(alt)
        plt.close(figure)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: draw_convolution(IMAGE, KERNEL, 2, 1, at=(3, 0)), "outside the output of 3×3"),
        (lambda: draw_convolution(IMAGE, KERNEL, at=(0, -1)), "count from 0"),
        (lambda: draw_transposed_convolution(IMAGE[:2, :2], KERNEL, at=(0, 2)), "input of 2×2"),
        (lambda: draw_convolution(IMAGE.ravel(), KERNEL), "matrices"),
        (lambda: draw_convolution(IMAGE / 7, KERNEL), "no room"),
    ],
)
def test_convolutions_that_cannot_be_drawn_are_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("conv2d", lambda: draw_convolution(IMAGE, KERNEL)),
        ("conv_transpose2d", lambda: draw_transposed_convolution(IMAGE[:2, :2], KERNEL)),
    ],
)
def test_other_numbers_than_torchs_are_refused(name, draw, monkeypatch):
    right = getattr(functional, name)
    monkeypatch.setattr(
        f"lecture_utils.diagrams.convolutions.{name}", lambda *a, **k: right(*a, **k) + 1
    )
    with pytest.raises(ValueError, match="torch computes"):
        draw()


def test_map_of_types():
    figure, alt = draw_map_of_types()
    assert_legible(figure)
    assert_plain(alt)
    texts = [text.get_text() for text in figure.axes[0].texts]
    for name in ("vanilla", "deep", "convolutional", "contractive", "sparse", "denoising"):
        assert name in texts
        assert f"{name}, " in alt
    assert "variational, a code drawn at random: 64, 64, 8, 64, 64" in alt
    _, other = draw_map_of_types({"vanilla": Autoencoder(mlp(64, 5), mlp(5, 64))})
    assert "vanilla, a narrow code: 64, 5, 64;" in other
    figure, same = draw_map_of_types(terms={"deep": r"$\Vert J\Vert^2$"})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert r"$\Vert J\Vert^2$" in texts
    assert "more layers each way" not in texts
    assert same == alt


def test_colours_are_not_those_of_p_q_and_r():
    taken = {style["color"].lower() for style in (P_STYLE, Q_STYLE, R_STYLE)}
    for figure, _ in (
        draw_map_of_types(),
        draw_network(convolutional_autoencoder(32)),
        draw_convolution(IMAGE, KERNEL),
        draw_transposed_convolution(IMAGE[:2, :2], KERNEL),
    ):
        ax = figure.axes[0]
        used = {to_hex(text.get_color()) for text in ax.texts}
        used |= {to_hex(patch.get_facecolor()) for patch in ax.patches}
        used |= {to_hex(patch.get_edgecolor()) for patch in ax.patches}
        assert not used & taken


def test_shown_with_its_alt_text(monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "lecture_utils.plotting.display", lambda data, metadata, **_: shown.update(metadata)
    )
    show(*draw_network(deep_autoencoder(30), torch.rand(784)))
    assert shown["image/png"]["alt"].startswith("Diagram of an autoencoder with 943,662 parameters")
    assert 1000 < shown["image/png"]["width"] <= 1161
