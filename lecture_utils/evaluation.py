"""How good a reconstruction is, and the yardstick that every autoencoder is held against."""

import numpy as np
from sklearn.decomposition import PCA


def reconstruction_error(x, x_hat):
    """Squared error, summed over dimensions and averaged over examples.

    Parameters
    ----------
    x, x_hat : array_like, shape (n, d)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes differ, or the reconstruction holds NaN.
    """
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    if x.shape != x_hat.shape:
        raise ValueError(f"x has shape {x.shape} and x_hat {x_hat.shape}: they must be the same")
    if np.isnan(x_hat).any():
        raise ValueError("x_hat holds NaN: did the training diverge?")
    return np.mean(np.sum((x - x_hat) ** 2, axis=-1))


def pca_reconstruction(x_train, x, latent_dim):
    """Reconstruction of `x` from its first principal components, those of `x_train`.

    The best that any linear encoder and decoder can do on `x_train` with `latent_dim` numbers.

    Parameters
    ----------
    x_train : array_like, shape (n, d)
    x : array_like, shape (m, d)
    latent_dim : int

    Returns
    -------
    array, shape (m, d)
    """
    pca = PCA(latent_dim, svd_solver="covariance_eigh").fit(x_train)
    return pca.inverse_transform(pca.transform(x))
