"""Say which exercises are right: run the student's notebooks and leave them as they are.

python -m tools.progress --notebooks "01 02"
python -m tools.progress --folder my-notebooks-1
"""

import logging
import re
import sys
from pathlib import Path

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from tqdm import tqdm

from lecture_utils.exercises.registry import TOPICS
from tools import course
from tools.course import (
    NAME_PATTERN,
    Parser,
    Refused,
    choose,
    code_cells,
    command,
    digest,
    first_line,
    lectures,
    read,
)
from tools.kernels import failed_line, kernel
from tools.several import interrupts_noted, run_command, run_in_threads

SECONDS_PER_CELL = 100  # `check` gives up after ten of computing, longer on a busy machine
CHECK = re.compile(r"""\bcheck\(\s*["'](\w+)["']""")
IN_A_FILE = re.compile(r"\(\S+\.py, (?=line )")  # a cell's file is nowhere to be seen
UNDEFINED = re.compile(r"name '(\w+)' is not defined")
WORD = re.compile(r"\w+")
RIGHT, NOT_YET, NOT_JUDGED = "right", "not yet", "not judged"
MISSING = "wrong: its check is not in the notebook"


@command()
def main():
    """Print what is right in the notebooks of the command line and return the exit status."""
    parser = Parser("progress", __doc__)
    parser.add_notebooks()
    parser.add_argument("--folder", default="", help="a folder in place of notebooks/exercises")
    options = parser.parse_args()
    paths = student_notebooks(exercises_folder(options.folder), options.notebooks)
    return report(judge_all(paths))


def exercises_folder(text):
    """Return the folder with the student's notebooks; a copy of notebooks/ holds exercises/."""
    folder = Path(text).expanduser() if text.strip() else course.NOTEBOOKS
    if text.strip() and not folder.is_dir():
        raise Refused(f"there is no folder {folder}")
    inside = folder / "exercises"
    return inside if inside.is_dir() or not text.strip() else folder


def student_notebooks(folder, names):
    """Return the paths of the student notebooks that belong to the lectures in `names`, or all."""
    paths = sorted(folder.glob(NAME_PATTERN))
    if names.split():
        numbers = [path.name[:2] for path in choose(names)]
        without = [number for number in numbers if number not in {path.name[:2] for path in paths}]
        if without:
            raise Refused(f"{folder} has no exercises for {', '.join(without)}")
        return [path for path in paths if path.name[:2] in numbers]
    if not paths:
        raise Refused(f"no exercises NN_*.ipynb in {folder}: make them with `make exercises`")
    return paths


def judge_all(paths):
    """Judge the notebooks, several at once, under a progress bar.

    Returns
    -------
    dict: for each path the states by exercise, or one line that says why there are none.
    """
    with tqdm(total=len(paths), unit="notebook") as bar, interrupts_noted() as interrupted:
        results = run_in_threads(
            lambda path: judge(path, interrupted),
            paths,
            lambda n_done: bar.update(n_done - bar.n),
            interrupted,
        )
    return dict(zip(paths, results, strict=True))


def judge(path, interrupted):
    """Return the states of the exercises in one notebook, or one line that says why not."""
    try:
        return states_of(read(path), path, interrupted)
    except Refused as reason:
        return str(reason)
    except Exception as error:  # whatever it was, the other notebooks are judged
        return f"{path.name} cannot be run: {type(error).__name__}: {first_line(str(error))}"


def states_of(notebook, path, interrupted):
    """Return the states of the exercises in the notebook that was read from `path`."""
    untouched = notebook.metadata.get("exercises", {}).get("generated_sha256") == digest(notebook)
    notebook.cells = code_cells(notebook.cells)
    checks = [
        (index, name)
        for index, cell in enumerate(notebook.cells)
        for name in CHECK.findall(cell.source)
    ]
    if untouched:
        return {name: NOT_YET for _, name in checks}  # nothing need run
    left_out = execute(notebook, path.parent, interrupted)
    exercises = dict(checks)
    refuse_if_not_judged(notebook.cells, exercises, left_out, path)
    # Every exercise of the lecture counts, even if its cell is no longer there.
    states = dict.fromkeys(TOPICS.get(topic(path), ()), MISSING)
    for index, name in checks:
        if states.get(name) != RIGHT:  # who tries again in another cell may be right there
            outputs = notebook.cells[index].outputs
            said = f"wrong: {left_out[index]}" if index in left_out else state(name, outputs)
            states[name] = what_failed_before(said, notebook.cells, exercises)
    for index in left_out.keys() - exercises:
        cell = first_line(notebook.cells[index].source)
        tqdm.write(f"{path.name} was run without `{cell}`: {left_out[index]}", file=sys.stderr)
    return states


def topic(path):
    """Return what the lecture of a student notebook is about, by its number: it may be a copy."""
    stems = [lecture.stem for lecture in lectures()] + [path.stem]
    return next(stem[3:] for stem in stems if stem[:2] == path.stem[:2])


def refuse_if_not_judged(cells, exercises, left_out, path):
    """Refuse a notebook whose first cell failed: what its exercises say follows from that alone."""
    first = left_out.get(0) or error_of(cells[0].outputs) if cells and 0 not in exercises else ""
    if first:
        where = failed_line(cells[0])
        raise Refused(f"{path.name} cannot be judged: its first cell fails{where}: {first}")
    if any(error_of(cell.outputs) == "NameError: name 'check' is not defined" for cell in cells):
        raise Refused(
            f"{path.name} cannot be judged: the first cell, which imports `check`, is not there: "
            "copy it from the course's notebook"
        )


def what_failed_before(said, cells, exercises):
    """Return a state that names the cell whose failure left `said` without a name, or `said`."""
    missing = UNDEFINED.search(said)
    for index, cell in enumerate(cells):
        error = error_of(cell.outputs)
        if missing and error and index not in exercises and missing[1] in WORD.findall(cell.source):
            where = failed_line(cell) or f" `{first_line(cell.source)}`"
            return f"{NOT_JUDGED}: an earlier cell fails{where}: {error}"
    return said


def execute(notebook, folder, interrupted):
    """Execute the cells of `notebook` in memory, past every error.

    A cell that does not end, or ends the kernel, is left out and the rest run anew: the other
    exercises do not depend on it.

    Returns
    -------
    dict: for the index of each cell that was left out, why.
    """
    left_out = {}
    while not interrupted.is_set():
        options = {"allow_errors": True, "timeout": SECONDS_PER_CELL}
        index = None
        try:
            with kernel(notebook, folder, shutdown_kernel="immediate", **options) as client:
                for index, cell in enumerate(notebook.cells):
                    if index not in left_out:
                        client.execute_cell(cell, index)
            break
        except CellTimeoutError:
            left_out[index] = f"no answer after {SECONDS_PER_CELL} seconds; does a loop never end?"
        except DeadKernelError:
            if index is None:  # it died before the first cell
                raise
            left_out[index] = "it ended the kernel"
    return left_out


def state(name, outputs):
    """Return the state of the exercise `name` whose cell gave `outputs`."""
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    if f"✓ {name}: correct" in printed.splitlines():
        return RIGHT
    names = {output.ename: output for output in outputs if output.output_type == "error"}
    if "NotYet" in names:
        return NOT_YET
    if "Wrong" in names:
        return f"wrong: {first_line(names['Wrong'].evalue).removeprefix(f'✗ {name}: ')}"
    return f"wrong: {error_of(outputs) or 'its check did not run'}"


def error_of(outputs):
    """Return the error in the outputs of a cell as one line, or ""; a verdict is no error."""
    for output in outputs:
        if output.output_type == "error" and output.ename not in ("NotYet", "Wrong"):
            return f"{output.ename}: {IN_A_FILE.sub('(', first_line(output.evalue))}"
    return ""


def report(results):
    """Print one line an exercise and how many are right; return 1 if something was not judged."""
    unjudged = [said for said in results.values() if isinstance(said, str)]
    rows = [
        (lecture, name, said)
        for lecture, states in by_lecture(results).items()
        for name, said in states.items()
    ]
    lecture_width = max((len(lecture) for lecture, _, _ in rows), default=0)
    name_width = max((len(name) for _, name, _ in rows), default=0)
    last = None
    if rows:
        print(f"\n{'lecture':{lecture_width}}  {'exercise':{name_width}}  state")
    for lecture, name, said in rows:
        print(f"{'' if lecture == last else lecture:{lecture_width}}  {name:{name_width}}  {said}")
        last = lecture
    n_right = sum(said == RIGHT for _, _, said in rows)
    print(f"\n{n_right} of {len(rows)} exercises are right, as the files are saved")
    for said in unjudged:
        print(said, file=sys.stderr)
    return 1 if unjudged or any(said.startswith(NOT_JUDGED) for _, _, said in rows) else 0


def by_lecture(results):
    """Return the states by lecture; of a notebook and its copies, the best of each exercise."""
    tables = {}
    for path, states in results.items():
        if isinstance(states, dict):
            best = tables.setdefault(f"{path.name[:2]}_{topic(path)}", {})
            for name, said in states.items():
                best[name] = min(best.get(name, said), said, key=rank)
    return tables


def rank(said):
    """Return how good a state is: right, then tried, then not yet, then not there."""
    last = (NOT_JUDGED, NOT_YET, MISSING)
    return 0 if said == RIGHT else 1 + sum(i for i, s in enumerate(last, 1) if said.startswith(s))


if __name__ == "__main__":
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # the table says what went wrong
    run_command(main)
