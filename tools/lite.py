"""Build build/lite: the course in JupyterLab inside a browser, with no server that computes.

Python itself (Pyodide) comes from the host that JupyterLite's kernel names, or, with --pyodide,
from a folder that is copied into the site, which then needs no network.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import nbformat
from nbformat.v4 import new_markdown_cell

from tools.course import (
    BUILD,
    NOTEBOOKS,
    ROOT,
    RUNS_IN_A_BROWSER,
    Parser,
    Refused,
    claim,
    command,
    notebooks_in,
    read,
)
from tools.lab_settings import DEFAULT_SETTINGS
from tools.without_torch import adapt

KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
PLUGIN = "@jupyterlite/pyodide-kernel-extension"
# An environment of its own: JupyterLab would load its kernel too, and fail to.
ENVIRONMENT = ROOT / ".lite"
PYTHON = ENVIRONMENT / "bin" / "python"
EXTENSION = ENVIRONMENT / "share" / "jupyter" / "labextensions" / PLUGIN
PYODIDE = "0.27."  # what the kernel of requirements-lite.txt was tried with
# What a kernel loads when it starts; the library's own wheel comes with them.
PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn")
KERNEL_PACKAGES = ("micropip", "packaging", "ssl", "sqlite3", "jedi", "ipython")
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
WHEELS = "static/wheels"
FROM_THE_WORKER = "../../../../"  # from the kernel's script, in extensions/@…/…/static/
ABOUT = """**You are in your browser.** Nothing is installed and no server computes: Python runs in
this page. The first cell waits until it is loaded, about a minute. Lectures 00 to 07 run here with
their exercises; 08 to 17 need PyTorch and are here to be read. What you change is kept in this
browser and nowhere else: *File ▸ Download* keeps a notebook. A cell that never ends is ended by
*Kernel ▸ Restart*.
"""
TO_READ = """> **To be read here, to be run elsewhere.** This notebook needs PyTorch, which a
> browser does not have. What it computed is stored below. Binder, Codespaces, Colab or your own
> machine (`make lab`) run it: the course's README says how.
"""


def build(target, pyodide=None):
    """Build the site into the folder `target`, which is made anew, and return its index.html.

    Parameters
    ----------
    target : Path
    pyodide : Path or None
        Folder of a Pyodide distribution.

    Raises
    ------
    Refused
        When JupyterLite is missing or fails, or the folder is not such a distribution.
    """
    if not EXTENSION.exists():
        raise Refused(f"JupyterLite's kernel is not in {EXTENSION}: `make lite` installs it")
    files = files_of(pyodide) if pyodide else []
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        source, site = Path(scratch) / "source", Path(scratch) / "site"
        write_notebooks(source / "files" / "notebooks")
        wheel = make_wheel(Path(scratch) / "wheel")
        write_settings(source, wheel.name, bool(pyodide))
        run_jupyterlite(source, site, repack("comm", Path(scratch)))
        copy_into(site / WHEELS, [wheel])
        copy_into(site / "static" / "pyodide", files)
        shutil.rmtree(target, ignore_errors=True)
        site.replace(target)
    return target / "index.html"


# ---- what goes in ----


def write_notebooks(folder):
    """Write the lectures, exercises and solutions as they are in a browser."""
    for place in (NOTEBOOKS, NOTEBOOKS / "exercises", NOTEBOOKS / "solutions"):
        for path in notebooks_in(place):
            notebook = for_browser(read(path), int(path.name[:2]))
            new = folder / path.relative_to(NOTEBOOKS)
            new.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, new)


def for_browser(notebook, number):
    """Return the notebook with the browser's kernel and what a reader in a browser must know."""
    notebook.metadata["kernelspec"] = KERNEL
    if number in RUNS_IN_A_BROWSER:
        adapt(notebook)
    words = TO_READ if number not in RUNS_IN_A_BROWSER else ABOUT if number == 0 else ""
    if words:
        notebook.cells.insert(1, new_markdown_cell(words, id="in-the-browser"))
    return notebook


def make_wheel(scratch):
    """Build the wheel of lecture_utils in the folder `scratch`, and return its path."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lecture_utils", scratch / "lecture_utils", ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, scratch)
    wheel = [PYTHON, "-m", "pip", "wheel", "--no-deps", "--no-index", "--quiet"]
    run([*wheel, "--no-build-isolation", "--wheel-dir", scratch / "dist", scratch], cwd=scratch)
    [path] = (scratch / "dist").iterdir()
    return path


def write_settings(source, wheel, has_pyodide):
    """Write what JupyterLite reads: the kernel's options, and the defaults of `make lab`."""
    packages = [*PACKAGES, f"{FROM_THE_WORKER}{WHEELS}/{wheel}"]
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": packages}}
    if has_pyodide:
        kernel["pyodideUrl"] = "./static/pyodide/pyodide.js"
    data = {
        "appName": "KL divergence and autoencoders",
        "exposeAppInBrowser": True,
        "litePluginSettings": {f"{PLUGIN}:kernel": kernel},
    }
    page = {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}
    (source / "jupyter-lite.json").write_text(json.dumps(page, indent=1), encoding="utf-8")
    overrides = json.dumps(DEFAULT_SETTINGS, indent=1)
    (source / "overrides.json").write_text(overrides, encoding="utf-8")


def files_of(folder):
    """Return those files of the Pyodide in `folder` that the course uses."""
    try:
        lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{folder} is no Pyodide: it has no pyodide-lock.json") from error
    if not lock["info"]["version"].startswith(PYODIDE):
        raise Refused(f"{folder} is Pyodide {lock['info']['version']}: {PYODIDE}x is needed")
    needed, waiting = {}, [*PACKAGES, *KERNEL_PACKAGES]
    while waiting:
        package = lock["packages"][waiting.pop()]
        if package["name"] not in needed:
            needed[package["name"]] = package["file_name"]
            waiting += [name.lower().replace("_", "-") for name in package["depends"]]
    files = [folder / name for name in (*CORE, "pyodide-lock.json", *needed.values())]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise Refused(f"{folder} lacks {', '.join(missing)}: take the full distribution")
    return files


def repack(name, folder):
    """Make a wheel of an installed package that is all Python, and return its path."""
    distribution = metadata.distribution(name)
    path = folder / f"{name}-{distribution.version}-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        for file in distribution.files:
            if file.suffix != ".pyc" and ".." not in file.parts:
                wheel.write(file.locate(), file)
    return path


def copy_into(folder, files):
    """Copy `files` into `folder`; make it if there are any."""
    for file in files:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder)


# ---- building ----


def run_jupyterlite(source, site, wheel):
    """Let JupyterLite build the site, with its Python kernel and no other extension.

    `wheel` is what the kernel would otherwise ask PyPI for.
    """
    options = ["--lite-dir", source, "--contents", source / "files", "--output-dir", site]
    options += [
        "--piplite-wheels",
        wheel,
        "--apps",
        "lab",
        "--no-sourcemaps",
        "--no-unused-shared-packages",
    ]
    options += ["--ignore-sys-prefix", "--LiteBuildConfig.federated_extensions", EXTENSION]
    run([PYTHON, "-m", "jupyterlite_core", "build", *options], cwd=source)


def run(arguments, cwd):
    """Run a command; when it fails, its last line is the refusal."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1577836800"}  # the same bytes each time
    done = subprocess.run(
        list(map(str, arguments)), cwd=cwd, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Refused(f"{arguments[2]} failed: {lines[-1] if lines else 'it gave no reason'}")


@command("stopped: build/lite is as it was")
def main():
    """Build the site and return the exit status."""
    parser = Parser("lite", __doc__)
    parser.add_output()
    parser.add_argument("--pyodide", default="", help="folder of a Pyodide distribution")
    arguments = parser.parse_args()
    claim(arguments.output)
    pyodide = Path(arguments.pyodide).expanduser().absolute() if arguments.pyodide else None
    build(arguments.output / "lite", pyodide)
    where = "build" if arguments.output == BUILD else arguments.output
    print(f"built {arguments.output / 'lite'}; a browser wants a server for it:")
    print(f"python -m http.server --directory {where}  and open http://localhost:8000/lite/")


if __name__ == "__main__":
    sys.exit(main())
