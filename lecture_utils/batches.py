"""Checks of batches of examples, arrays or tensors whose first axis counts the examples.

Nothing broadcasts: a difference of shapes that go together by accident is a wrong number.
"""

import numpy as np

from lecture_utils.validation import as_float64


def as_pair(x, x_hat):
    """Return examples and their reconstructions as float64 arrays of shape (n, d).

    Both come in any one shape (n, ...), images for instance.

    Raises
    ------
    ValueError
        When the shapes differ, there is no example, or one of them holds NaN.
    """
    x, x_hat = as_float64(x, "x"), as_float64(x_hat, "x_hat")
    same_shape(x, x_hat)
    if np.isnan(x).any():
        raise ValueError("x holds NaN: find out where it comes from, do not replace it")
    if np.isnan(x_hat).any():
        raise ValueError("x_hat holds NaN: did the training diverge?")
    return x.reshape(len(x), -1), x_hat.reshape(len(x), -1)


def as_grey_images(x, x_hat):
    """Return what `as_pair` returns, for images `x` with grey values from 0 to 1.

    Raises
    ------
    ValueError
        For what `as_pair` refuses, and for other grey values.
    """
    x, x_hat = as_pair(x, x_hat)
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError(
            f"x holds {x.min():.6g} to {x.max():.6g}: grey values go from 0 to 1 here; "
            "divide 0 to 255 by 255, x_hat too"
        )
    return x, x_hat


def as_rows(x_train, x, n_components):
    """Return training data and data as arrays of rows of one length, enough for the components.

    Raises
    ------
    ValueError
        For other shapes, and more components than rows or columns.
    """
    x_train, x = np.asarray(x_train), np.asarray(x)
    if x_train.ndim != 2 or x.ndim != 2 or x_train.shape[1] != x.shape[1]:
        raise ValueError(
            f"x_train has shape {x_train.shape} and x {x.shape}: both must be rows (n, d) of one "
            "length; images become rows by x.reshape(len(x), -1)"
        )
    if not 1 <= n_components <= min(x_train.shape):
        raise ValueError(
            f"{n_components} components of {x_train.shape[0]} rows of {x_train.shape[1]} numbers: "
            f"there are 1 to {min(x_train.shape)}"
        )
    return x_train, x


def same_shape(x, x_hat):
    """Return `x_hat`, arrays or tensors, when it has the shape (n, ...) of `x`.

    Raises
    ------
    ValueError
        When the shapes differ, so that a difference would broadcast; for no example, or one alone.
    """
    if x_hat.shape != x.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and x_hat {tuple(x_hat.shape)}: they must be the same"
        )
    if x.ndim < 2 or not len(x):
        raise ValueError(
            f"x has shape {tuple(x.shape)}: it must be (n, ...) with n examples, at least one; "
            "a single one is x[None]"
        )
    return x_hat


def check_encoder(encoder, x):
    """Refuse an `encoder` whose code of an example depends on more than that example.

    Raises
    ------
    ValueError
        For an `x` that is no batch, an encoder that does not map a batch to codes, one an example,
        and one that mixes examples or draws at random.
    """
    same_shape(x, x)
    changing = ("BatchNorm", "SyncBatchNorm", "Dropout", "AlphaDropout", "FeatureAlphaDropout")
    for module in encoder.modules() if hasattr(encoder, "modules") else ():
        name = type(module).__name__
        if module.training and name.startswith(changing):
            raise ValueError(
                f"{name} in training mode mixes examples or draws at random: call encoder.eval()"
            )
    two, one = encoder(x[:2]).detach(), encoder(x[:1]).detach()
    if two.ndim < 2 or len(two) != len(x[:2]):
        raise ValueError(
            f"the encoder makes codes of shape {tuple(two.shape)} of {len(x[:2])} examples: it "
            "must map a batch (n, ...) to codes (n, ...)"
        )
    if (two[:1] - one).abs().max() > 1e-4 * (1 + one.abs().max()):
        raise ValueError(
            "the code of an example is another one when it is encoded alone: the encoder mixes "
            "examples or draws at random"
        )


def as_mean_activations(codes, rho):
    """Return the mean of each unit over the n examples in `codes`, a tensor of shape (n, ...).

    Raises
    ------
    ValueError
        For no example, activations outside [0, 1] or NaN, and a `rho` that is no probability.
    """
    same_shape(codes, codes)
    if not ((codes >= 0) & (codes <= 1)).all():
        raise ValueError(
            "codes hold a number outside [0, 1] or NaN: the penalty is for activations between 0 "
            "and 1, such as those of sigmoid units"
        )
    if not 0 <= rho <= 1:
        raise ValueError(f"rho = {rho} is no probability: it must be from 0 to 1")
    return codes.mean(0)


def same_gaussians(mean, log_var):
    """Return `mean` and `log_var` when their shapes are the same, so that nothing broadcasts.

    Raises
    ------
    ValueError
        When they differ.
    """
    if mean.shape != log_var.shape:
        raise ValueError(
            f"mean has shape {tuple(mean.shape)} and log_var {tuple(log_var.shape)}: "
            "each latent needs one of both"
        )
    return mean, log_var
