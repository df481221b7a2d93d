"""The models of Part 2 and their losses. Lectures 08 to 15 show each in full."""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.func import vjp, vmap

from lecture_utils.batches import (
    as_mean_activations,
    check_encoder,
    same_gaussians,
    same_shape,
)


class Autoencoder(nn.Module):
    """An encoder followed by a decoder; `model(x)` is the reconstruction of `x`.

    Parameters
    ----------
    encoder : nn.Module, (n, d) -> (n, latent_dim)
    decoder : nn.Module, (n, latent_dim) -> (n, d)
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x):
        return self.decoder(self.encoder(x))


def mlp(*sizes):
    """Linear layers of the given sizes with a ReLU between any two of them.

    >>> mlp(64, 8)
    Sequential(
      (0): Linear(in_features=64, out_features=8, bias=True)
    )
    """
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def reconstruction_loss(model, x):
    """Squared error of the reconstruction, summed over dimensions, averaged over the batch.

    Parameters
    ----------
    model : callable, (n, ...) -> (n, ...)
    x : tensor, shape (n, ...)

    Returns
    -------
    scalar tensor

    Raises
    ------
    ValueError
        When the reconstruction has another shape than `x`, or `x` is no batch.
    """
    x_hat = same_shape(x, model(x))
    errors = (x_hat - x).flatten(1) ** 2  # (n, d)
    return errors.sum(1).mean()


def he_initialised(network):
    """Draw the weights of each linear layer before a ReLU with variance 2 / n_in, in place.

    Their biases become zero. From one such layer to the next the mean square then stays what it
    was, on average.

    Returns
    -------
    nn.Module: `network`.

    Source: He and others, "Delving Deep into Rectifiers" (2015).
    """
    for layer, after in pairwise(list(network.modules())):
        if isinstance(layer, nn.Linear) and isinstance(after, nn.ReLU):
            nn.init.kaiming_normal_(layer.weight)  # variance 2 / n_in
            nn.init.zeros_(layer.bias)
    return network


def deep_autoencoder(latent_dim):
    """Autoencoder of 784-512-128-latent_dim and back, for 28x28 images of grey values 0 to 1.

    Source: after Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural
    Networks" (2006), with ReLU and fewer units.
    """
    encoder = mlp(784, 512, 128, latent_dim)
    decoder = nn.Sequential(mlp(latent_dim, 128, 512, 784), nn.Sigmoid())
    return he_initialised(Autoencoder(encoder, decoder))


def convolutional_autoencoder(latent_dim):
    """Autoencoder with two convolutions and back, for rows of 784 pixels with grey values 0 to 1.

    Source: after Masci and others, "Stacked Convolutional Auto-Encoders for Hierarchical Feature
    Extraction" (2011), with strides in place of pooling.
    """
    encoder = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 3, stride=2, padding=1),  # (n, 16, 14, 14)
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),  # (n, 32, 7, 7)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, latent_dim),
    )
    decoder = nn.Sequential(
        nn.Linear(latent_dim, 32 * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),  # (n, 16, 14, 14)
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),  # (n, 1, 28, 28)
        nn.Sigmoid(),
        nn.Flatten(),
    )
    return Autoencoder(encoder, decoder)


def contractive_penalty(encoder, x):
    """Squared Frobenius norm of the encoder's Jacobian, averaged over the examples.

    To first order the mean squared change of the code under noise of variance 1 a pixel. One
    backward pass a unit of the code, each for all examples at once.

    Parameters
    ----------
    encoder : callable, (n, ...) -> (n, ...), each code made of its own example alone
    x : tensor, shape (n, ...)

    Returns
    -------
    scalar tensor

    Raises
    ------
    ValueError
        For an encoder that mixes examples or draws at random, such as BatchNorm and Dropout in
        training mode, or that does not map a batch to a batch.

    Source: Rifai and others, "Contractive Auto-Encoders" (2011).
    """
    check_encoder(encoder, x)
    codes, pull_back = vjp(lambda x: encoder(x).flatten(1), x)  # (n, latent_dim)
    each_unit = torch.eye(codes.shape[1]).to(codes)[:, None].expand(-1, *codes.shape)
    (jacobian,) = vmap(pull_back)(each_unit)  # (latent_dim, n, ...)
    return (jacobian**2).sum() / len(x)


def kl_term(p, q):
    """The term p log(p/q) - p + q of a KL divergence, never negative; summed, p and q cancel.

    Parameters
    ----------
    p : float, a probability
    q : tensor of probabilities

    Returns
    -------
    tensor, the shape of q, in nats: infinite where q = 0 < p.
    """
    if p == 0:
        return q
    log_ratio = torch.log(q / p)
    return p * (torch.expm1(log_ratio) - log_ratio)


def sparsity_penalty(codes, rho):
    """KL divergence between coins of probability `rho` and the units' mean activations, summed.

    Parameters
    ----------
    codes : tensor, shape (n, latent_dim)
        Activations between 0 and 1, as of sigmoid units.
    rho : float, from 0 to 1
        The target of each unit's mean over the n examples.

    Returns
    -------
    scalar tensor, in nats, never negative. From a mini-batch it is too large on average
    (lecture 12).

    Raises
    ------
    ValueError
        For activations outside [0, 1] or a `rho` that is no probability.

    Source: the deck's "Sparse Autoencoders"; Ng, "Sparse autoencoder", CS294A lecture notes (2011).
    """
    rho_hat = as_mean_activations(codes, rho)  # (latent_dim,)
    on, off = kl_term(rho, rho_hat), kl_term(1 - rho, 1 - rho_hat)
    return (on + off).sum()


class VariationalAutoencoder(nn.Module):
    """An encoder that gives a Gaussian for each example, and a decoder that gives the mean of `x`.

    Parameters
    ----------
    encoder : nn.Module, (n, d) -> (n, 2 * latent_dim), the means and then the log-variances
    decoder : nn.Module, (n, latent_dim) -> (n, d)

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes" (2014).
    """

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, x):
        """Mean and log-variance of q(z|x), each of shape (n, latent_dim)."""
        mean, log_var = self.encoder(x).chunk(2, dim=-1)
        return mean, log_var  # (n, latent_dim) each


def reparameterize(mean, log_var):
    """Draw from N(mean, exp(log_var)) so that gradients flow to `mean` and `log_var`.

    Parameters
    ----------
    mean, log_var : tensors of one shape

    Returns
    -------
    tensor of that shape

    Raises
    ------
    ValueError
        When the shapes differ.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes" (2014).
    """
    mean, log_var = same_gaussians(mean, log_var)
    return mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)


def kl_to_standard_normal(mean, log_var):
    """KL(N(mean, diag exp(log_var)) || N(0, I)) of each example, in nats, summed over latents.

    Parameters
    ----------
    mean, log_var : tensors, shape (n, latent_dim)

    Returns
    -------
    tensor, shape (n,): never negative.

    Raises
    ------
    ValueError
        When the shapes differ.

    Source: the deck's "KL Divergence for Gaussians".
    """
    mean, log_var = same_gaussians(mean, log_var)
    return 0.5 * (mean**2 + torch.expm1(log_var) - log_var).sum(-1)  # (n,)


def elbo(model, x, variance, beta=1.0):
    """Evidence lower bound with one draw of the code, in nats, averaged over the batch.

    Parameters
    ----------
    model : VariationalAutoencoder
    x : tensor, shape (n, ...)
    variance : float
        Of the decoder's Gaussian, the same for each dimension of an example.
    beta : float
        Weight of the KL; 1 gives the bound.

    Returns
    -------
    scalar tensor, to be maximised

    Raises
    ------
    ValueError
        When the decoder gives another shape than that of `x`.

    Source: Kingma and Welling (2014); Higgins and others, "beta-VAE" (2017), for beta.
    """
    mean, log_var = model.encode(x)
    x_hat = same_shape(x, model.decoder(reparameterize(mean, log_var)))
    squared = ((x - x_hat) ** 2).flatten(1).sum(1)  # (n,)
    constant = 0.5 * x[0].numel() * math.log(2 * math.pi * variance)
    log_likelihood = -squared / (2 * variance) - constant
    return (log_likelihood - beta * kl_to_standard_normal(mean, log_var)).mean()
