"""The losses of Part 2 against other ways to the same number; values and gradients."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lecture_utils.autoencoders import (
    VariationalAutoencoder,
    contractive_penalty,
    elbo,
    kl_to_standard_normal,
    mlp,
    reparameterize,
    sparsity_penalty,
)
from lecture_utils.divergences import kl_divergence_bernoulli, kl_divergence_gaussian


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_contractive_penalty_of_a_linear_map_is_its_squared_norm():
    linear = nn.Linear(7, 3).double()
    penalty = contractive_penalty(linear, random(5, 7))
    torch.testing.assert_close(penalty, (linear.weight**2).sum())
    (gradient,) = torch.autograd.grad(penalty, linear.weight)
    torch.testing.assert_close(gradient, 2 * linear.weight.detach())


def test_contractive_penalty_by_finite_differences():
    encoder, x, h = mlp(4, 6, 3).double(), random(8, 4), 1e-6
    encoder[1] = nn.Tanh()
    columns = [(encoder(x + h * e) - encoder(x - h * e)) / (2 * h) for e in torch.eye(4)]
    expected = sum((column**2).sum(1) for column in columns).mean()
    torch.testing.assert_close(contractive_penalty(encoder, x), expected, rtol=1e-7, atol=0)


def test_sparsity_penalty_is_the_kl_of_coins_summed_over_units():
    codes = torch.sigmoid(random(50, 6))
    expected = kl_divergence_bernoulli(0.1, codes.mean(0).numpy()).sum()
    assert sparsity_penalty(codes, 0.1).item() == pytest.approx(expected, rel=1e-12)
    at_target = torch.full((4, 3), 0.1, dtype=torch.float64)
    assert abs(sparsity_penalty(at_target, 0.1).item()) < 1e-15


def test_kl_to_standard_normal_is_that_of_gaussians_for_each_example():
    mean, log_var = random(4, 3), random(4, 3)
    expected = [
        kl_divergence_gaussian(m, np.diag(v), np.zeros(3), np.eye(3))
        for m, v in zip(mean.numpy(), log_var.exp().numpy(), strict=True)
    ]
    np.testing.assert_allclose(kl_to_standard_normal(mean, log_var), expected, rtol=1e-12)


def test_reparameterize_draws_from_the_gaussian_and_lets_gradients_through():
    mean, log_var = torch.full((200_000,), 2.0), torch.full((200_000,), math.log(9.0))
    mean.requires_grad_()
    z = reparameterize(mean, log_var)
    assert z.mean().item() == pytest.approx(2, abs=0.04)
    assert z.std().item() == pytest.approx(3, abs=0.03)
    (gradient,) = torch.autograd.grad(z.sum(), mean)
    assert torch.equal(gradient, torch.ones_like(gradient))


def test_elbo_of_a_model_without_latents_is_the_gaussian_log_likelihood():
    """A decoder that ignores z and an encoder at the prior: no KL, no gap."""
    encoder, decoder = nn.Linear(5, 4).double(), nn.Linear(2, 5).double()
    for layer in (encoder, decoder):
        nn.init.zeros_(layer.weight)
    nn.init.zeros_(encoder.bias)
    x = random(30, 5)
    gaussian = torch.distributions.Normal(decoder.bias, math.sqrt(0.3))
    expected = gaussian.log_prob(x).sum(1).mean()
    model = VariationalAutoencoder(encoder, decoder)
    torch.testing.assert_close(elbo(model, x, variance=0.3), expected)


def test_beta_weighs_the_kl():
    model, x = VariationalAutoencoder(mlp(5, 4), mlp(2, 5)).double(), random(30, 5)
    values = []
    for beta in (1.0, 3.0):
        torch.manual_seed(1)
        values.append(elbo(model, x, variance=0.3, beta=beta))
    kl = kl_to_standard_normal(*model.encode(x)).mean()
    torch.testing.assert_close(values[0] - values[1], 2 * kl)


def test_encode_gives_means_first():
    model = VariationalAutoencoder(nn.Identity(), nn.Identity())
    mean, log_var = model.encode(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    assert mean.tolist() == [[1, 2]]
    assert log_var.tolist() == [[3, 4]]
