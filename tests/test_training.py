"""The training loop against a case whose optimum is known, and what it says when it diverges."""

from contextlib import suppress

import pytest
import torch
from torch import nn

from lecture_utils.autoencoders import (
    Autoencoder,
    convolutional_autoencoder,
    deep_autoencoder,
    he_initialised,
    mlp,
    reconstruction_loss,
)
from lecture_utils.training import fit, set_up


def squared_distance(model, x):
    return ((model.weight - x) ** 2).sum(1).mean()


class Point(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, dtype=torch.float64))


def test_fit_finds_the_mean():
    set_up(0)
    x = torch.randn(1000, 3, dtype=torch.float64) + torch.tensor([1.0, -2.0, 0.5])
    model = Point()
    history = fit(model, squared_distance, x, epochs=60, max_lr=0.1)
    assert len(history) == 60
    assert history[-1] < history[0]
    torch.testing.assert_close(model.weight.detach(), x.mean(0), atol=0.05, rtol=0)


def test_the_history_is_the_average_over_examples():
    set_up(0)
    x = torch.zeros(130, 3, dtype=torch.float64)  # the last batch has two examples only
    x[128:] = 1.0
    history = fit(Point(), squared_distance, x, epochs=1, max_lr=1e-12)
    assert history[0] == pytest.approx(3 * 2 / 130, rel=1e-6)


def test_the_same_seed_gives_the_same_training():
    weights = []
    for _ in range(2):
        set_up(3)
        model = Autoencoder(mlp(4, 2), mlp(2, 4))
        fit(model, reconstruction_loss, torch.rand(50, 4), epochs=2)
        weights.append(model.decoder[0].weight.detach())
    assert torch.equal(*weights)


def test_a_loss_that_is_no_number_is_told_with_its_epoch():
    x = torch.full((10, 3), float("nan"), dtype=torch.float64)
    with pytest.raises(FloatingPointError, match=r"nan in epoch 1: try a smaller max_lr"):
        fit(Point(), squared_distance, x, epochs=3)


@pytest.mark.parametrize("fill", [0.0, float("nan")])
def test_numbers_near_zero_are_zero_only_while_it_trains(fill):
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot count subnormal numbers as zero")
    torch.set_flush_denormal(False)
    small, seen = torch.tensor(1e-30), []

    def loss(model, x):
        seen.append((small * 1e-10).item())
        return squared_distance(model, x)

    with suppress(FloatingPointError):
        fit(Point(), loss, torch.full((10, 3), fill, dtype=torch.float64), epochs=1)
    assert seen == [0.0]
    assert (small * 1e-10).item() > 0


def test_reconstruction_loss_sums_over_pixels_and_averages_over_images():
    x = torch.ones(5, 7)
    assert reconstruction_loss(lambda batch: batch - 2, x).item() == pytest.approx(4 * 7)


@pytest.mark.parametrize("make", [deep_autoencoder, convolutional_autoencoder])
def test_models_map_rows_to_rows_between_0_and_1(make):
    model = make(5)
    x = torch.rand(3, 784)
    assert model.encoder(x).shape == (3, 5)
    x_hat = model(x)
    assert x_hat.shape == x.shape
    assert x_hat.min() >= 0
    assert x_hat.max() <= 1


def test_mlp_has_a_relu_between_any_two_layers():
    kinds = [type(layer).__name__ for layer in mlp(4, 3, 2)]
    assert kinds == ["Linear", "ReLU", "Linear"]


def test_he_initialised_draws_only_the_layers_before_a_relu():
    set_up(0)
    network = mlp(300, 400, 200, 10)
    last = network[4].weight.clone(), network[4].bias.clone()
    assert he_initialised(network) is network
    for layer in (network[0], network[2]):
        spread = layer.weight.std().item() * (layer.in_features / 2) ** 0.5
        assert spread == pytest.approx(1, abs=0.02)
        assert not layer.bias.any()
    assert torch.equal(network[4].weight, last[0])
    assert torch.equal(network[4].bias, last[1])
