"""Say which exercises are right: run the student's notebooks and leave them as they are.

python -m tools.progress --notebooks "01 02"
"""

import logging
import re
import sys

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from tqdm import tqdm

from lecture_utils.exercises.registry import TOPICS
from tools.make_exercises import Refused as NoNotebook
from tools.make_exercises import digest, read
from tools.parallel import interrupt_on_signals, interrupts_noted, run_in_threads
from tools.run_course import (
    ENCRYPTION,
    KERNEL,
    NAME_PATTERN,
    NOTEBOOKS,
    Parser,
    Refused,
    choose,
    code_cells,
    first_line,
    kernel_environment,
)

SECONDS_PER_CELL = 30  # `check` itself gives up after ten of computing
CHECK = re.compile(r"""\bcheck\(\s*["'](\w+)["']""")
IN_A_FILE = re.compile(r"\(\S+\.py, (?=line )")  # a cell's file is nowhere to be seen
RIGHT, NOT_YET = "right", "not yet"


def main():
    """Print what is right in the notebooks of the command line and return the exit status."""
    parser = Parser(prog="progress", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--notebooks", default="", help='numbers or names, as in "01 05"')
    try:
        paths = student_notebooks(parser.parse_args().notebooks)
        results = judge_all(paths)
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: no kernel is left", file=sys.stderr)
        return 130
    return report(results)


def student_notebooks(names):
    """Return the paths of the student notebooks that belong to the lectures in `names`, or all."""
    folder = NOTEBOOKS / "exercises"
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
    except NoNotebook as reason:
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
    # Every exercise of the lecture counts, even if its cell is no longer there.
    states = dict.fromkeys(TOPICS.get(path.stem[3:], ()), "wrong: its check is not in the notebook")
    for index, name in checks:
        if states.get(name) != RIGHT:  # who tries again in another cell may be right there
            outputs = notebook.cells[index].outputs
            states[name] = (
                f"wrong: {left_out[index]}" if index in left_out else state(name, outputs)
            )
    for index in left_out.keys() - dict(checks):
        cell = first_line(notebook.cells[index].source)
        tqdm.write(f"{path.name} was run without `{cell}`: {left_out[index]}", file=sys.stderr)
    return states


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
        client = NotebookClient(
            notebook,
            kernel_name=KERNEL["name"],
            allow_errors=True,
            timeout=SECONDS_PER_CELL,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(folder)}},
        )
        index = None
        try:
            with client.setup_kernel(env=kernel_environment(), transport_encryption=ENCRYPTION):
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
    for output in outputs:
        if output.output_type == "error":
            if output.ename == "NotYet":
                return NOT_YET
            if output.ename == "Wrong":
                return f"wrong: {first_line(output.evalue).removeprefix(f'✗ {name}: ')}"
            return f"wrong: {output.ename}: {IN_A_FILE.sub('(', first_line(output.evalue))}"
    return "wrong: its check did not run"


def report(results):
    """Print one line an exercise and how many are right; return 1 if a notebook was not judged."""
    tables = {path: states for path, states in results.items() if isinstance(states, dict)}
    rows = [(path, name, said) for path, states in tables.items() for name, said in states.items()]
    lecture_width = max((len(path.stem) for path, _, _ in rows), default=0)
    name_width = max((len(name) for _, name, _ in rows), default=0)
    last = None
    if rows:
        print(f"\n{'lecture':{lecture_width}}  {'exercise':{name_width}}  state")
    for path, name, said in rows:
        lecture = "" if path == last else path.stem
        print(f"{lecture:{lecture_width}}  {name:{name_width}}  {said}")
        last = path
    n_right = sum(said == RIGHT for _, _, said in rows)
    print(f"\n{n_right} of {len(rows)} exercises are right")
    for path in results.keys() - tables.keys():
        print(results[path], file=sys.stderr)
    return 1 if tables.keys() != results.keys() else 0


if __name__ == "__main__":
    interrupt_on_signals()
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # the table says what went wrong
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that cannot show ‖ still shows the table
    sys.exit(main())
