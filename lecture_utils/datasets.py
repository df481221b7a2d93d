"""The data of Part 2, read from the package without a network: `lecture_utils/data/README.md`."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "data"
SHA256 = {
    "mnist.npz": "3e3333ba211184627488aa503ceb63f3f779caa07f60de2025cfedf2254d809b",
    "fashion.npz": "af598c57f0719ca7f96fba3487f2df8bd713ffcd0fc6fd224828722f766e3010",
}


class Split(NamedTuple):
    """Images as rows with grey values from 0 to 1, and their labels, in two fixed parts."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits():
    """scikit-learn's handwritten digits of 8x8 pixels, float64.

    Returns
    -------
    Split with x_train of shape (1437, 64) and x_test of shape (360, 64), stratified by digit.
    """
    from sklearn.datasets import load_digits as sklearn_digits
    from sklearn.model_selection import train_test_split

    x, y = sklearn_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x / 16, y, test_size=0.2, random_state=0, stratify=y
    )
    return Split(x_train, y_train, x_test, y_test)


def load_mnist():
    """Ten thousand MNIST digits of 28x28 pixels, float32.

    Returns
    -------
    Split with x_train of shape (8000, 784) and x_test of shape (2000, 784), stratified by digit.

    Raises
    ------
    FileNotFoundError, ValueError
        When the data file is missing or is not the one that the course was made with.
    """
    arrays = _read("mnist.npz")
    return Split(
        _as_rows(arrays["x_train"]),
        arrays["y_train"].astype(np.int64),
        _as_rows(arrays["x_test"]),
        arrays["y_test"].astype(np.int64),
    )


def load_fashion():
    """Two thousand Fashion-MNIST images of 28x28 pixels, float32: what an anomaly looks like.

    Returns
    -------
    x, shape (2000, 784)

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_mnist`.
    """
    return _as_rows(_read("fashion.npz")["x_test"])


def _as_rows(images):
    return images.reshape(len(images), -1).astype(np.float32) / 255


def _read(name):
    path = FOLDER / name
    remedy = f"restore it with `git checkout -- lecture_utils/data/{name}`, or install again"
    if not path.exists():
        raise FileNotFoundError(f"the data file {path} is missing: {remedy}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[name]:
        raise ValueError(f"the data file {path} is not the one of this course: {remedy}")
    return np.load(path, allow_pickle=False)
