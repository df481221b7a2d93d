"""Change single things in the code of lectures: does anything that they print notice?

python -m tools.mutate --notebooks "01 02" --changes 100

Of all single changes as many as asked for are drawn, the same ones each time. A lecture is run with
each, until a cell fails or prints something else than is stored.
"""

import random
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from tools.course import RUNS_IN_A_BROWSER, Parser, Refused, choose, command, read
from tools.kernels import kernel
from tools.mutations import Mutation, mutations
from tools.several import interrupts_noted, run_command, run_in_threads

SURVIVORS = 0.05  # of the changes, at most
TIMEOUT = 120  # seconds for a cell; a change may make a loop endless


@dataclass
class Trial:
    """One change to one cell of a lecture, and whether it was noticed."""

    path: Path
    change: Mutation
    noticed: bool | None = None  # None: not run
    problem: str = ""  # why it could not be run

    def __str__(self):
        return f"{self.path.stem}, {self.change}"


@command()
def main(arguments=None):
    """Run what the command line asks for and return the exit status."""
    parser = Parser("mutate", __doc__)
    parser.add_notebooks()
    parser.add_argument("--changes", default="100", help="how many are tried")
    options = parser.parse_args(arguments)
    paths = choose(options.notebooks)
    if not options.notebooks.strip():  # those that take seconds
        paths = [path for path in paths if int(path.name[:2]) in RUNS_IN_A_BROWSER[1:]]
    trials = draw(paths, number(options.changes))
    run_all(trials)
    return report(trials)


def number(text):
    if not text.strip().isdecimal() or int(text) == 0:
        raise Refused(f'"{text}" is not a number of changes: CHANGES=100')
    return int(text)


def draw(paths, n_changes):
    """Draw `n_changes` of all single changes to the lectures."""
    trials = [Trial(path, change) for path in paths for change in mutations(read(path))]
    return random.Random(0).sample(trials, min(n_changes, len(trials)))


def run_all(trials):
    """Run the trials, several at once, under a progress bar."""
    with tqdm(total=len(trials), unit="change") as bar, interrupts_noted() as interrupted:
        run_in_threads(run, trials, lambda n_done: bar.update(n_done - bar.n), interrupted)


def run(trial):
    """Run a lecture with one change and note whether a cell fails or prints something else."""
    stored = read(trial.path)
    changed = deepcopy(stored)
    cell = next(cell for cell in changed.cells if cell.id == trial.change.cell_id)
    cell.source = trial.change.source
    try:
        trial.noticed = is_noticed(stored, changed, trial.path.parent)
    except Exception as error:  # the others still run
        trial.problem = f"{type(error).__name__}: {error}"


def is_noticed(stored, changed, folder):
    """Execute `changed` cell by cell, up to the first output that differs."""
    with kernel(changed, folder, timeout=TIMEOUT, coalesce_streams=True) as client:
        for index, (old, new) in enumerate(zip(stored.cells, changed.cells, strict=True)):
            try:
                client.execute_cell(new, index)
            except (CellExecutionError, TimeoutError):
                return True
            if new.cell_type == "code" and printed(new) != printed(old):
                return True
    return False


def printed(cell):
    """What a reader is shown in words and numbers: text, tables, values; no pictures."""
    shown = []
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream":
            shown.append(output.text)
        elif not any(kind.startswith("image/") for kind in data):
            shown.append(data.get("text/html", data.get("text/plain")))
    return shown


def report(trials):
    """Print what was not noticed; return 1 if it was too much, or if something did not run."""
    broken = [trial for trial in trials if trial.noticed is None]
    survivors = [trial for trial in trials if trial.noticed is False]
    for trial in sorted(survivors, key=str):
        print(f"not noticed: {trial}")
    for trial in broken:
        print(f"not run: {trial}: {trial.problem}", file=sys.stderr)
    print(f"{len(survivors)} of {len(trials)} changes were not noticed")
    return 1 if broken or len(survivors) > SURVIVORS * len(trials) else 0


if __name__ == "__main__":
    run_command(main)
