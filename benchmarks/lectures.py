"""seconds and peak memory of every lecture, each in a kernel of its own.

The lectures run as in `make run`, several at once. "of all" is the share of the summed seconds,
"of 1 GB" the share of what a free Binder promises to JupyterLab and the kernel together.
"""

import tempfile
from pathlib import Path

from tools.course import choose, read
from tools.kernels import Run
from tools.several import execute_all

HEADER = ("lecture", "seconds", "of all", "peak memory (MB)", "of 1 GB")


def rows():
    with tempfile.TemporaryDirectory() as folder:
        runs = [Run(path, Path(folder) / path.name, read(path)) for path in choose("")]
        execute_all(runs)
    total = sum(run.seconds for run in runs)
    return [
        (
            run.name,
            f"{run.seconds:.1f}",
            f"{run.seconds / total:.0%}",
            f"{run.peak_memory / 1e6:.0f}",
            run.error or f"{run.peak_memory / 1e9:.2f}",
        )
        for run in runs
    ]
