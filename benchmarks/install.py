"""how long it takes to install the course into a fresh environment, and how large that is.

Only when asked for: PARTS="install". pip's own cache is used if there is one. "to ours" is seconds
over those of requirements.txt; the second row adds what checks the course. PIP_ARGS is passed on.
"""

import os
import shlex
import subprocess
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ("file", "seconds", "to ours", "environment (MB)")


def rows():
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [python, "-m", "pip", "install", "--quiet"]
        install += shlex.split(os.environ.get("PIP_ARGS", ""))
        first = None
        for name in ("requirements.txt", "requirements-dev.txt"):
            start = time.perf_counter()
            subprocess.run([*install, "-r", ROOT / name], check=True)
            seconds = time.perf_counter() - start
            first = first or seconds
            files = [path for path in Path(folder).rglob("*") if path.is_file()]
            size = sum(path.lstat().st_size for path in files) / 1e6
            yield (name, f"{seconds:.0f}", f"{seconds / first:.2f}", f"{size:.0f}")
