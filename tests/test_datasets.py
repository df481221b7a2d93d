"""The data: checksums, shapes, fixed and stratified splits, helpful errors."""

import numpy as np
import pytest

from lecture_utils import datasets
from lecture_utils.datasets import load_digits, load_fashion, load_mnist


@pytest.mark.parametrize(
    ("load", "n_train", "n_test", "d", "dtype"),
    [(load_digits, 1437, 360, 64, np.float64), (load_mnist, 8000, 2000, 784, np.float32)],
)
def test_shapes_ranges_and_strata(load, n_train, n_test, d, dtype):
    data = load()
    assert data.x_train.shape == (n_train, d)
    assert data.x_test.shape == (n_test, d)
    assert data.x_train.dtype == data.x_test.dtype == dtype
    for x in (data.x_train, data.x_test):
        assert x.min() == 0
        assert x.max() == 1
    shares = [np.bincount(y, minlength=10) / len(y) for y in (data.y_train, data.y_test)]
    np.testing.assert_allclose(*shares, atol=0.002)


def test_no_test_image_is_a_training_image():
    data = load_mnist()
    train = {image.tobytes() for image in data.x_train}
    assert not [image for image in data.x_test if image.tobytes() in train]


def test_the_split_does_not_change():
    assert load_mnist().y_test[:12].tolist() == [9, 7, 9, 6, 9, 4, 1, 3, 6, 3, 2, 7]
    assert load_digits().y_test[:12].tolist() == [7, 6, 3, 7, 7, 3, 2, 8, 9, 3, 2, 6]


def test_fashion():
    x = load_fashion()
    assert x.shape == (2000, 784)
    assert (x.min(), x.max()) == (0, 1)


def test_an_altered_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="git checkout"):
        load_mnist()
    (tmp_path / "mnist.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not the one of this course"):
        load_mnist()


def test_the_readme_names_the_checksums():
    readme = (datasets.FOLDER / "README.md").read_text(encoding="utf-8")
    for name, checksum in datasets.SHA256.items():
        assert name in readme
        assert checksum in readme
