"""Open the course in JupyterLab: `python -m tools.lab`, with JupyterLab's own options after it.

What it sets holds for this one run: the user's own settings stay, and come first.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
START = "notebooks/00_start_here.ipynb"

OPTIONS = [
    f"--ServerApp.root_dir={ROOT}",
    f"--LabApp.default_url=/lab/tree/{START}",
    "--LabApp.extension_manager=readonly",  # the default one lists packages from the network
]
# Neither ask whether news is wanted, nor look on the network for news and updates.
DEFAULT_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}


def set_environment(config_folder):
    """Set what the server and its kernels inherit: one thread, and defaults for JupyterLab.

    Two busy threads on a shared machine are slower than one; COURSE_THREADS says otherwise.
    """
    threads = os.environ.setdefault("COURSE_THREADS", "1")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = threads
    settings = config_folder / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps(DEFAULT_SETTINGS), encoding="utf-8")
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(config_folder), others]))


def main(arguments):
    """Run JupyterLab until the user stops it; `arguments` are JupyterLab's."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        return "JupyterLab is not installed: run `make lab`, or pip install -r requirements.txt"
    with TemporaryDirectory(prefix="course-lab-") as folder:
        set_environment(Path(folder))
        return LabApp.launch_instance([*OPTIONS, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
