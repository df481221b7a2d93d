"""How good a reconstruction is, and the yardstick that every autoencoder is held against."""

import numpy as np
from sklearn.decomposition import PCA

from lecture_utils.batches import as_grey_images, as_pair, as_rows


def reconstruction_error(x, x_hat):
    """Squared error, summed over dimensions and averaged over examples.

    Parameters
    ----------
    x, x_hat : array_like, shape (n, ...)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes differ, there is no example, or one holds NaN.
    """
    x, x_hat = as_pair(x, x_hat)
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

    Raises
    ------
    ValueError
        For images that are no rows, rows of different lengths, or more components than there are.
    """
    x_train, x = as_rows(x_train, x, latent_dim)
    pca = PCA(latent_dim, svd_solver="covariance_eigh").fit(x_train)
    return pca.inverse_transform(pca.transform(x))


def psnr(x, x_hat):
    """Peak signal-to-noise ratio of each image, for grey values from 0 to 1, in decibels.

    Parameters
    ----------
    x, x_hat : array_like, shape (n, ...)
        The clean images and what is to be judged.

    Returns
    -------
    array, shape (n,): infinite for equal images.

    Raises
    ------
    ValueError
        When the shapes differ, one holds NaN, or a grey value of `x` is outside [0, 1].
    """
    x, x_hat = as_grey_images(x, x_hat)
    mean_squared_error = np.mean((x - x_hat) ** 2, axis=-1)
    with np.errstate(divide="ignore"):  # equal images: infinite
        return 0.0 - 10 * np.log10(mean_squared_error)
