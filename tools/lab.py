"""Open the course in JupyterLab: `python -m tools.lab`, with JupyterLab's own options after it.

What it sets, it sets for this one run; the user's own settings of JupyterLab are not touched.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = "notebooks/00_start_here.ipynb"


def options():
    """Options of JupyterLab: where to start, and nothing that asks the user or the network."""
    return [
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{START}",
        "--LabApp.news_url=None",  # without an address it does not ask "would you like news?"
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",  # the default one lists packages from the network
    ]


def main(arguments):
    """Run JupyterLab until the user stops it."""
    # Kernels inherit these. Two busy threads on a shared machine are slower than one.
    threads = os.environ.setdefault("COURSE_THREADS", "1")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = threads
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        return "JupyterLab is not installed: use `make lab`, or pip install -r requirements.txt"
    return LabApp.launch_instance([*options(), *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
