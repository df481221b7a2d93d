"""What users of other libraries ran into: each kind with its right value, or a refusal by name."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev

from lecture_utils.autoencoders import (
    VariationalAutoencoder,
    contractive_penalty,
    convolutional_autoencoder,
    elbo,
    kl_term,
    kl_to_standard_normal,
    mlp,
    reconstruction_loss,
    reparameterize,
    sparsity_penalty,
)
from lecture_utils.divergences import (
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    kl_divergence_bernoulli,
    kl_divergence_gaussian,
    kl_divergence_gaussian_1d,
    quadrature_grid,
)
from lecture_utils.evaluation import pca_reconstruction, psnr, reconstruction_error


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


# ---- images instead of rows ----


def test_errors_of_images_sum_over_all_pixels():
    images = np.ones((2, 1, 28, 28))
    assert reconstruction_error(images, np.zeros_like(images)) == 784
    assert reconstruction_loss(torch.zeros_like, torch.ones(2, 1, 28, 28)).item() == 784
    assert reconstruction_error(torch.ones(2, 3, 4), torch.zeros(2, 3, 4)) == 12


def test_psnr_of_images_is_one_value_an_image():
    x = np.zeros((3, 1, 4, 4))
    x_hat = x + np.array([0.1, 1, 0]).reshape(3, 1, 1, 1)
    np.testing.assert_allclose(psnr(x, x_hat), [20, 0, np.inf], atol=1e-12)
    assert not np.signbit(psnr(x, x_hat)[1]), "0, not -0"


def test_elbo_of_images_is_that_of_their_rows():
    model = VariationalAutoencoder(mlp(6, 4), mlp(2, 6)).double()
    images = VariationalAutoencoder(
        nn.Sequential(nn.Flatten(), model.encoder),
        nn.Sequential(model.decoder, nn.Unflatten(1, (1, 2, 3))),
    )
    x, values = torch.rand(5, 6, dtype=torch.float64), []
    for chosen, data in ((model, x), (images, x.reshape(5, 1, 2, 3))):
        torch.manual_seed(1)
        values.append(elbo(chosen, data, variance=0.5).item())
    assert values[0] == pytest.approx(values[1], rel=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: reconstruction_loss(lambda x: x[:, None], torch.ones(6, 28, 28)),
        lambda: reconstruction_error(np.ones((6, 28, 28)), np.ones((6, 1, 28, 28))),
        lambda: psnr(np.ones((6, 4)), np.ones((1, 4))),
        lambda: reconstruction_error(np.ones((6, 4)), np.ones(4)),
        lambda: elbo(VariationalAutoencoder(mlp(5, 4), mlp(2, 1)), torch.ones(3, 5), 1.0),
    ],
)
def test_nothing_broadcasts(call):
    with pytest.raises(ValueError, match="they must be the same"):
        call()


@pytest.mark.parametrize("shape", [(5,), (0, 5), (0, 1, 4, 4)])
def test_what_is_no_batch_is_refused(shape):
    for call in (
        lambda: reconstruction_error(np.ones(shape), np.ones(shape)),
        lambda: psnr(np.ones(shape), np.ones(shape)),
        lambda: reconstruction_loss(torch.zeros_like, torch.ones(shape)),
        lambda: contractive_penalty(nn.Identity(), torch.ones(shape)),
        lambda: sparsity_penalty(torch.ones(shape), 0.1),
    ):
        with pytest.raises(ValueError, match=r"it must be \(n, \.\.\.\) with n examples"):
            call()


def test_grey_values_up_to_255_are_refused():
    with pytest.raises(ValueError, match="divide 0 to 255 by 255"):
        psnr(np.full((2, 4), 255), np.full((2, 4), 250))


def test_latents_of_other_shapes_are_refused():
    for call in (reparameterize, kl_to_standard_normal):
        with pytest.raises(ValueError, match="each latent needs one of both"):
            call(torch.zeros(4, 3), torch.zeros(3))


def test_pca_of_images_and_of_too_many_components_is_refused():
    with pytest.raises(ValueError, match="images become rows"):
        pca_reconstruction(np.ones((5, 2, 2)), np.ones((5, 2, 2)), 1)
    with pytest.raises(ValueError, match="must be rows"):
        pca_reconstruction(np.ones((5, 4)), np.ones((5, 3)), 1)
    with pytest.raises(ValueError, match="there are 1 to 4"):
        pca_reconstruction(np.ones((5, 4)), np.ones((5, 4)), 5)


# ---- encoders that map a batch ----


def one_by_one(encoder, x):
    """The penalty by the Jacobian of each example on its own, entry by entry."""
    jacobians = [jacrev(encoder)(row[None]) for row in x]
    return sum((jacobian**2).sum() for jacobian in jacobians) / len(x)


def batch_norm():
    network = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Sigmoid())
    network(torch.rand(50, 6))  # so that its statistics are not those of the start
    return network.eval()


ENCODERS = {
    "sigmoid": (lambda: nn.Sequential(nn.Linear(6, 4), nn.Sigmoid()), (6,)),
    "mlp": (lambda: mlp(6, 9, 3), (6,)),
    "flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 4)), (1, 2, 3)),
    "convolution": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()), (1, 5, 4)),
    "batch norm": (batch_norm, (6,)),
    "softmax": (lambda: nn.Sequential(nn.Linear(6, 4), nn.Softmax(1)), (6,)),
    "layer norm": (lambda: nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4)), (6,)),
    "max pool": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(2), nn.Flatten()),
        (1, 5, 5),
    ),
    "dropout off": (lambda: nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5)).eval(), (6,)),
    "lecture 10's": (lambda: convolutional_autoencoder(3).encoder, (784,)),
    "a function": (lambda: torch.sin, (6,)),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_contractive_penalty_takes_every_encoder_of_a_batch(name):
    make, shape = ENCODERS[name]
    encoder = make()
    if isinstance(encoder, nn.Module):
        encoder = encoder.double()
    x = torch.rand(3, *shape, dtype=torch.float64)
    penalty, expected = contractive_penalty(encoder, x), one_by_one(encoder, x)
    torch.testing.assert_close(penalty, expected, rtol=1e-10, atol=0)
    if isinstance(encoder, nn.Module):
        weight = next(encoder.parameters())
        gradients = [torch.autograd.grad(value, weight)[0] for value in (penalty, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (lambda x: x - x.mean(0), "mixes examples"),
        (nn.Dropout(0.5), "Dropout in training mode"),
        (lambda x: x + torch.rand_like(x), "draws at random"),
        (nn.Softmax(0), "mixes examples"),
        (lambda x: x.sum(), "must map a batch"),
        (lambda x: x.sum(1), "must map a batch"),
    ],
)
def test_contractive_penalty_refuses_what_has_no_jacobian_of_one_example(encoder, words):
    with pytest.raises(ValueError, match=words):
        contractive_penalty(encoder, torch.rand(8, 40))


def test_batch_norm_in_training_mode_is_refused_and_stays_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2)).double()
    with pytest.raises(ValueError, match="BatchNorm2d in training mode"):
        contractive_penalty(network, torch.rand(4, 1, 3, 3, dtype=torch.float64))
    assert network[1].num_batches_tracked == 0


# ---- covariances in any units ----


def test_small_units_are_not_singular():
    # (1 + 1e-16 - 2 - log 1e-16) / 2, by mpmath
    assert kl_divergence_gaussian([0, 0], np.diag([1, 1e-16]), [0, 0], np.eye(2)) == pytest.approx(
        17.9206807439523654722, rel=1e-12
    )


def test_units_change_no_kl():
    rng = np.random.default_rng(0)
    factors, means = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3))
    covs = factors @ factors.transpose(0, 2, 1)
    units = np.array([1e-90, 1.0, 1e70])
    scaled = covs * np.outer(units, units)
    plain = kl_divergence_gaussian(means[0], covs[0], means[1], covs[1])
    changed = kl_divergence_gaussian(means[0] * units, scaled[0], means[1] * units, scaled[1])
    assert changed == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("units", [1e-100, 1.0, 1e100])
def test_perfect_correlation_is_singular_in_all_units(units):
    cov = np.array([[1, units], [units, units**2]])
    with pytest.raises(ValueError, match="cov_p is not positive definite"):
        kl_divergence_gaussian([0, 0], cov, [0, 0], np.eye(2))


@pytest.mark.parametrize(
    ("cov", "words"),
    [
        (np.diag([1.0, 0.0]), "a variance is zero"),
        (np.diag([1.0, -1.0]), "holds the variance -1"),
        ([[1, 0.5], [0.4, 1]], "not symmetric"),
        ([[1e-20, 1e-10], [1e-10, 1]], "not positive definite"),
    ],
)
def test_what_is_no_covariance_is_named(cov, words):
    with pytest.raises(ValueError, match=words):
        kl_divergence_gaussian([0, 0], cov, [0, 0], np.eye(2))


def test_means_of_other_dimensions_are_refused_in_our_words():
    with pytest.raises(ValueError, match="mean_p and mean_q have shapes"):
        kl_divergence_gaussian([0, 0], np.eye(2), [0, 0, 0], np.eye(3))
    with pytest.raises(ValueError, match="for means of shape"):
        kl_divergence_gaussian([0, 0], np.eye(3), [0, 0], np.eye(3))
    with pytest.raises(ValueError, match="have shapes"):
        kl_divergence_gaussian_1d([0, 1, 2], [1, 1], 0, 1)


# ---- probabilities in float32 ----


@pytest.mark.parametrize("seed", range(20))
def test_the_remedy_for_float32_works(seed):
    logits = np.random.default_rng(seed).normal(size=(50, 30)).astype(np.float32)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    with pytest.raises(ValueError, match="make it float64 first, then divide") as refused:
        entropy(p)
    names = {"p": p}
    exec(str(refused.value).split("divide: ")[1], names)  # what the message says to do
    assert np.isfinite(entropy(names["p"])).all()


def test_the_remedy_for_tensors_works():
    p = torch.softmax(torch.randn(50, 30), -1)
    with pytest.raises(ValueError, match=r"p\.double\(\)") as refused:
        kl_divergence(p, p)
    names = {"p": p}
    exec(str(refused.value).split("divide: ")[1], names)
    assert kl_divergence(names["p"], names["p"]).tolist() == [0] * 50


def test_tensors_with_a_gradient_are_taken():
    p = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
    assert kl_divergence(p, [0.9, 0.1]) == pytest.approx(kl_divergence([0.5, 0.5], [0.9, 0.1]))


@pytest.mark.parametrize("p", [["a", "b"], [[0.5, 0.5], [1.0]], [0.5 + 0j, 0.5], None, object()])
def test_what_is_no_array_of_numbers_is_refused_in_our_words(p):
    with pytest.raises(ValueError, match="p must be a number or an array of real numbers"):
        entropy(p)


# ---- arguments at their edge ----


def test_sparsity_penalty_at_its_edges():
    codes = torch.full((3, 2), 0.3, dtype=torch.float64)
    assert sparsity_penalty(codes, 0).item() == pytest.approx(-2 * np.log(0.7), rel=1e-12)
    assert sparsity_penalty(codes, 1).item() == pytest.approx(-2 * np.log(0.3), rel=1e-12)
    assert sparsity_penalty(torch.zeros(3, 2), 0).item() == 0
    assert sparsity_penalty(torch.ones(3, 2), 1).item() == 0
    assert sparsity_penalty(torch.zeros(3, 2), 0.1).item() == np.inf


def test_sparsity_penalty_has_a_gradient_at_its_edges():
    codes = torch.zeros(3, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(sparsity_penalty(codes, 0), codes)
    torch.testing.assert_close(gradient, torch.full((3, 2), 1 / 3))


@pytest.mark.parametrize("rho", [-0.1, 1.1, float("nan")])
def test_a_rho_that_is_no_probability_is_refused(rho):
    with pytest.raises(ValueError, match="is no probability"):
        sparsity_penalty(torch.full((3, 2), 0.3), rho)


def test_activations_outside_0_and_1_are_refused():
    with pytest.raises(ValueError, match="such as those of sigmoid units"):
        sparsity_penalty(torch.full((3, 2), 1.3), 0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_kl_of_part_2_is_negative(dtype):
    size = 10 ** torch.empty(200_000, 1, dtype=dtype).uniform_(-8, 0.5)
    log_var = torch.randn(200_000, 1, dtype=dtype) * size
    assert (kl_to_standard_normal(torch.zeros_like(log_var), log_var) >= 0).all()
    for rho in (1e-5, 0.05, 0.3, 0.9):
        q = (rho * (1 + torch.randn(200_000, dtype=dtype) * size[:, 0])).clamp(0, 1)
        assert (kl_term(rho, q) >= 0).all()


def test_the_term_of_a_nearly_dead_unit_keeps_its_digits():
    q = torch.tensor([1e-30], dtype=torch.float32)
    assert kl_term(0.1, q).item() == pytest.approx(0.1 * np.log(0.1 / 1e-30) - 0.1, rel=1e-6)


def test_zeros_have_no_sign():
    for zero in (entropy([1.0]), entropy([0, 1]), cross_entropy([1.0], [1.0])):
        assert zero == 0
        assert not np.signbit(zero)


def test_an_empty_batch_has_no_divergences():
    empty = np.zeros((0, 3))
    for function in (kl_divergence, js_divergence, cross_entropy):
        assert function(empty, empty).shape == (0,)
    assert entropy(empty).shape == (0,)


def test_extreme_but_right_values_come_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kl_divergence_gaussian_1d(0, 1e-200, 0, 1) == pytest.approx(200 * np.log(10) - 0.5)
        assert kl_divergence_gaussian_1d(0, 1e200, 0, 1) == np.inf
        assert kl_divergence_gaussian_1d(0, 1e300, 0, 1e-300) == np.inf
        assert kl_divergence_gaussian_1d(1e200, 1, -1e200, 1) == np.inf
        tiny = np.diag([1e-300, 1.0])
        assert np.isfinite(kl_divergence_gaussian([0, 0], tiny, [0, 0], np.eye(2)))
        assert kl_divergence_bernoulli(0, 1) == np.inf
        assert kl_divergence_bernoulli([0, 1], [0, 1]).tolist() == [0, 0]
        assert kl_divergence([5e-324, 1], [1, 5e-324]) == pytest.approx(324 * np.log(10), rel=0.01)


@pytest.mark.parametrize(("lower", "upper"), [(0, np.inf), (-np.inf, 0), (0, np.nan), (1, 1)])
def test_an_interval_without_end_is_refused(lower, upper):
    with pytest.raises(ValueError, match="must be below upper"):
        quadrature_grid(lower, upper)


def test_an_infinite_standard_deviation_is_named_by_its_value():
    with pytest.raises(ValueError, match="std_p holds inf"):
        kl_divergence_gaussian_1d(0, [1, np.inf], 0, 1)
