"""Open the course in JupyterLab: `python -m tools.lab`, with JupyterLab's own options after it.

What it sets holds for this one run: the user's own settings stay, and come first.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.course import ROOT, Refused
from tools.lab_settings import DEFAULT_SETTINGS

START = "notebooks/00_start_here.ipynb"

OPTIONS = [
    f"--ServerApp.root_dir={ROOT}",
    f"--LabApp.default_url=/lab/tree/{START}",
    "--LabApp.extension_manager=readonly",  # the default one lists packages from the network
    "--MappingKernelManager.default_kernel_name=python3",
    "--ServerApp.kernel_spec_manager_class=jupyter_client.kernelspec.KernelSpecManager",
]


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


def use_own_kernel(folder):
    """Make the kernel "python3" this interpreter with this folder's lecture_utils.

    The kernels that the user has stay in the list, one of the same name apart.
    """
    from ipykernel.kernelspec import write_kernel_spec

    from tools.kernels import FOREIGN, SPEC, python_path

    write_kernel_spec(folder / "kernels" / "python3", SPEC)
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), others]))
    os.environ["PYTHONPATH"] = python_path()
    for name in FOREIGN:
        os.environ.pop(name, None)


def use_own_home(folder):
    """Let Jupyter, IPython and matplotlib write into `folder` what they cannot write at home."""
    from jupyter_core import paths

    from tools.kernels import matplotlib_folder

    places = {
        "JUPYTER_CONFIG_DIR": paths.jupyter_config_dir(),
        "JUPYTER_DATA_DIR": paths.jupyter_data_dir(),
        "JUPYTER_RUNTIME_DIR": paths.jupyter_runtime_dir(),
        "IPYTHONDIR": os.environ.get("IPYTHONDIR") or Path.home() / ".ipython",
    }
    for name, place in places.items():
        if not can_be_written(Path(place)):
            os.environ[name] = str(folder / name.lower())
    os.environ["MPLCONFIGDIR"] = matplotlib_folder()


def can_be_written(folder):
    """Say whether `folder`, which need not be there yet, can be made and written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def main(arguments):
    """Run JupyterLab until the user stops it; `arguments` are JupyterLab's."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        return "JupyterLab is not installed: run `make lab`, or pip install -r requirements.txt"
    if not (ROOT / START).exists():
        return f"refused: there is no {START} in {ROOT}: `git checkout -- notebooks`"
    try:
        with TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            set_environment(folder)
            use_own_home(folder)
            use_own_kernel(folder)
            return LabApp.launch_instance([*OPTIONS, *arguments])
    except (Refused, OSError) as refusal:
        return f"refused: {refusal}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
