"""Write the exercises as an nbgrader course, for sites that grade with it: build/nbgrader/.

python -m tools.to_nbgrader

Each exercise becomes two cells: the answer, whose solution nbgrader cuts out (our markers are its
own), and a locked test cell of one point that calls `check`. nbgrader runs the check in the
student's kernel: who patches it there gets the point. `make grade` reads nbgrader's `submitted/`.
"""

import copy
import re

import nbformat
from nbformat.v4 import new_code_cell

from tools.course import Parser, Refused, choose, claim, command, read, solutions
from tools.several import run_command

CALL = re.compile(r'^check\("(\w+)", (\w+)\)\s*\Z', re.MULTILINE)
# A name that the test cell gives itself: `check` refuses one that only another cell has defined.
TEST = """from lecture_utils.exercises import check

answer = {function}
check("{name}", answer)"""
CONFIGURATION = """c = get_config()
c.CourseDirectory.course_id = "kl-and-autoencoders"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code here")'}
c.ClearSolutions.enforce_metadata = True
c.ExecutePreprocessor.timeout = 120
"""


@command()
def main(arguments=None):
    """Write the course folder and return the exit status."""
    parser = Parser("to_nbgrader", __doc__)
    parser.add_notebooks()
    parser.add_output()
    options = parser.parse_args(arguments)
    numbers = {path.name[:2] for path in choose(options.notebooks)}
    sources = [path for path in solutions() if path.name[:2] in numbers]
    if not sources:
        raise Refused("there are no notebooks/solutions of these lectures: nothing to export")
    claim(options.output)
    folder = options.output / "nbgrader"
    n_exercises = 0
    for path in sources:
        notebook = assignment(read(path))
        target = folder / "source" / path.stem / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        n_exercises += sum(bool(kind(cell, "grade")) for cell in notebook.cells)
    (folder / "nbgrader_config.py").write_text(CONFIGURATION, encoding="utf-8")
    print(f"{n_exercises} exercises: {folder}")
    return 0


def assignment(solution):
    """Return a notebook of solutions as nbgrader's source of an assignment."""
    notebook = copy.deepcopy(solution)
    cells = []
    for cell in notebook.cells:
        if "solution-only" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        call = CALL.search(cell.source) if "# BEGIN SOLUTION" in cell.source else None
        cells += two_cells(cell, call) if call else [cell]
    notebook.cells = cells
    return notebook


def two_cells(cell, call):
    """Cut an exercise into its answer and the check that gives the point."""
    name = call[1]
    answer = new_code_cell(cell.source[: call.start()].rstrip())
    answer.metadata.nbgrader = nbgrader(f"answer-{name}", solution=True)
    test = new_code_cell(TEST.format(name=name, function=call[2]))
    test.metadata.nbgrader = nbgrader(f"check-{name}", grade=True, locked=True, points=1)
    return [answer, test]


def nbgrader(identity, solution=False, grade=False, locked=False, **more):
    return {
        "schema_version": 3,
        "grade_id": identity,
        "solution": solution,
        "grade": grade,
        "locked": locked,
        "task": False,
        **more,
    }


def kind(cell, name):
    return cell.metadata.get("nbgrader", {}).get(name)


if __name__ == "__main__":
    run_command(main)
