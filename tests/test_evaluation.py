"""Errors against hand-made cases, and PCA against the sum of the dropped eigenvalues."""

import numpy as np
import pytest

from lecture_utils.evaluation import pca_reconstruction, psnr, reconstruction_error


def test_reconstruction_error_sums_over_dimensions_and_averages_over_examples():
    x = np.zeros((2, 3))
    assert reconstruction_error(x, [[1, 1, 1], [0, 0, 2]]) == pytest.approx(3.5)


def test_bad_reconstructions_are_refused():
    with pytest.raises(ValueError, match="must be the same"):
        reconstruction_error(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="NaN"):
        reconstruction_error(np.zeros((1, 1)), [[np.nan]])


def test_pca_error_is_the_sum_of_the_dropped_eigenvalues():
    x = np.random.default_rng(0).normal(size=(200, 6)) @ np.diag([5, 4, 3, 2, 1, 0.5])
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    for k in (1, 3, 6):
        error = reconstruction_error(x, pca_reconstruction(x, x, k))
        assert error == pytest.approx(eigenvalues[k:].sum(), abs=1e-10)


def test_psnr_of_known_errors():
    x = np.zeros((2, 4))
    x_hat = np.array([[0.1, 0.1, 0.1, 0.1], [1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(psnr(x, x_hat), [20, 10 * np.log10(4)])


def test_psnr_of_equal_images_is_infinite():
    assert psnr(np.ones((1, 3)), np.ones((1, 3))).tolist() == [np.inf]


def test_psnr_refuses_other_shapes_and_nan():
    with pytest.raises(ValueError, match="must be the same"):
        psnr(np.zeros((2, 3)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="NaN"):
        psnr(np.zeros((1, 2)), [[np.nan, 0]])
