"""Where things are: the folders, reading and choosing notebooks, and refusals in one line."""

import argparse
import hashlib
import json
import re
import shutil
import sys
from functools import wraps
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
RUNS_IN_A_BROWSER = range(8)  # the lectures that need no torch, once `make lite` has prepared them
NAME_PATTERN = "[0-9][0-9]_*.ipynb"
MARK = ".made-by-the-course"  # lies in an output folder that was chosen: it may be emptied
LASTING = (
    "grades",
    "grades.csv",
    "sweep",
    "sweep.csv",
    "sweep.png",
)  # hours of work: never emptied


class Refused(Exception):
    """A request that cannot be met, in one line that says what to do."""


class Parser(argparse.ArgumentParser):
    """Arguments of a command; their errors are one line, like every other refusal."""

    def __init__(self, prog, about):
        super().__init__(prog=prog, description=about.splitlines()[0], allow_abbrev=False)

    def add_notebooks(self):
        self.add_argument("--notebooks", default="", help='numbers or names, as in "01 05"')

    def add_output(self):
        self.add_argument(
            "--output", default=BUILD, type=output_folder, help="a folder in place of build/"
        )

    def error(self, message):
        raise Refused(message)


def output_folder(text):
    """Return the folder that --output names; an empty text means build/."""
    return Path(text).expanduser().absolute() if text.strip() else BUILD


def command(stopped="stopped: no kernel is left"):
    """Let the `main` of a command answer in one line when it is refused or interrupted."""

    def decorate(main):
        @wraps(main)
        def guarded(*arguments):
            try:
                return main(*arguments)
            except (Refused, OSError) as refusal:
                print(f"refused: {refusal}", file=sys.stderr)
                return 2
            except KeyboardInterrupt:
                print(stopped, file=sys.stderr)
                return 130

        return guarded

    return decorate


def repository():
    """Return owner/name from CITATION.cff, its one place; None while a placeholder stands there."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = re.search(r'(?m)^repository-code: "https://github\.com/([\w.-]+/[\w.-]+)"', text)
    if not found:
        raise Refused(
            'CITATION.cff needs a line repository-code: "https://github.com/OWNER/REPOSITORY"'
        )
    return None if found[1] == "OWNER/REPOSITORY" else found[1]


def notebooks_in(folder, pattern=NAME_PATTERN):
    """Return the notebooks in `folder`, without copies that lie beside their original.

    A copy, as JupyterLab, a file manager or git makes one, adds something to the original's name:
    01_name-Copy1, 01_name (2), 01_name_old.
    """
    paths = sorted(folder.glob(pattern))
    return [path for path in paths if not any(is_copy(path, other) for other in paths)]


def is_copy(path, other):
    return path.stem != other.stem and path.stem.startswith(other.stem)


def lectures():
    return notebooks_in(NOTEBOOKS)


def solutions():
    return notebooks_in(NOTEBOOKS / "solutions")


def choose(names):
    """Return the paths of the lectures in `names` ("1", "01" or "01_kl_divergence"), or of all."""
    paths = lectures()
    if not paths:
        raise Refused(f"no lectures NN_*.ipynb in {NOTEBOOKS}: `git checkout -- notebooks`")
    chosen = set()
    for name in names.split():
        matches = [path for path in paths if name.zfill(2) in (path.stem, path.stem[:2])]
        if not matches:
            there_are = ", ".join(path.stem for path in paths)
            raise Refused(f'there is no lecture "{name}"; there are: {there_are}')
        chosen.update(matches)
    return sorted(chosen) or paths


def with_solutions(paths):
    """Return lectures and the solutions that belong to them."""
    numbers = {path.name[:2] for path in paths}
    return [*paths, *(path for path in solutions() if path.name[:2] in numbers)]


def read(path):
    """Read a notebook; one that is none is refused."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path.name} cannot be read as a notebook: {error}") from error
    try:
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            _ = cell.cell_type, cell.source, cell.metadata
            _ = cell.cell_type != "code" or cell.outputs
    except Exception as error:  # nbformat lets through whatever goes wrong: bad JSON, missing keys
        raise Refused(
            f"{path.name} cannot be read as a notebook{why(text, path, error)}"
        ) from error
    return notebook


def why(text, path, error):
    """Say why `text` is no notebook, and what to do."""
    marker = re.search(r"(?m)^(<{7}|={7}|>{7})", text)
    if not marker:
        kind = type(error).__name__
        return f" ({kind}): {path} is torn or not a notebook: put an intact copy in its place"
    line = text.count("\n", 0, marker.start()) + 1
    return (
        f": line {line} is a merge marker of git: choose a side with "
        f'`git checkout --ours "{path}"` or `--theirs`'
    )


def digest(notebook):
    """Fingerprint of what a student can edit: the kinds and the sources of the cells."""
    sources = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def code_cells(cells):
    """Return those of the cells that are executed."""
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def first_line(text):
    return next(iter(text.strip().splitlines()), "")


def make_anew(folder):
    """Make the output folder `folder`, and empty it if it is there."""
    claim(folder)
    try:
        for entry in folder.iterdir():
            if entry.name in (MARK, *LASTING):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    except OSError as error:
        raise Refused(cannot_write(folder, error)) from error


def claim(folder):
    """Make the output folder `folder` if it is not there, and refuse one that is not ours.

    build/ is ours; another folder, or one that build links to, if it is empty or was ours before.
    """
    try:
        place = folder.resolve()
        place.mkdir(parents=True, exist_ok=True)
        mark = place / MARK
        if place != BUILD and not mark.exists():
            if any(place.iterdir()):
                raise Refused(f"{place} holds something else: choose a folder that is new or empty")
            mark.touch()
        probe = place / f"{MARK}.probe"  # os.access does not know every reason
        probe.touch()
        probe.unlink()
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to themselves
        raise Refused(cannot_write(folder, error)) from error


def cannot_write(folder, error):
    reason = getattr(error, "strerror", None) or error
    return (
        f"{folder} cannot be written ({reason}): choose another folder, "
        "`--output FOLDER` or `make ... BUILD=FOLDER`"
    )
