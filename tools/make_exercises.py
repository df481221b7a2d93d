"""Make the student copies in notebooks/exercises from notebooks/solutions: `make exercises`.

An exercise is a code cell that holds the answer between `# BEGIN SOLUTION` and `# END SOLUTION` and
closes with `check("name", function)`. The student copy has a stub in place of the answer and no
outputs, its title says "Exercises" instead of "Solutions", and cells tagged "solution-only" are not
in it. A student copy that was edited or run is never overwritten.
"""

import ast
import copy
import os
import re
import sys

import nbformat

from lecture_utils.exercises.registry import NAMES
from tools.course import NOTEBOOKS, Refused, digest, notebooks_in, read

REGION = re.compile(
    r"^([ \t]*)# BEGIN SOLUTION\n(.*?)^[ \t]*# END SOLUTION$", re.MULTILINE | re.DOTALL
)
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
STUB = 'raise NotImplementedError("your code here")'
SHORTEST_TELLING_LINE = 12  # characters; shorter lines occur anywhere and give nothing away


def student_copy(solutions, file_name):
    """The notebook for students that belongs to the notebook `solutions`.

    Raises
    ------
    Refused
        When an exercise cell is not as the module's first lines say, or an answer would show.
    """
    notebook = copy.deepcopy(solutions)
    notebook.cells = [cell for cell in notebook.cells if not _has_tag(cell, "solution-only")]
    answers, names = [], []
    for cell in notebook.cells:
        where = f"{file_name}, cell {cell.get('id')}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "# BEGIN SOLUTION" in cell.source or "# END SOLUTION" in cell.source:
            answers.append((where, _answer(cell, where)))
            names.append(_checked_name(cell, where))
            cell.source = REGION.sub(rf"\1{STUB}", cell.source)
            cell.metadata.tags = ["raises-exception"]  # so that "run all" goes on after a stub
        elif _closing_check(cell):
            raise Refused(
                f"{where}: the check has no answer above it: mark it with # BEGIN SOLUTION"
            )
    if len(set(names)) < len(names):
        raise Refused(f"{file_name}: an exercise stands in it twice: give each a name of its own")
    for where, answer in answers:
        _refuse_leak(answer, notebook, where)
    _retitle(notebook, file_name)
    notebook.metadata = {
        "kernelspec": KERNELSPEC,
        "language_info": {"name": "python"},
        "exercises": {"generated_sha256": digest(notebook)},
    }
    return notebook


def holds_own_work(notebook):
    """Whether a student copy was edited or run since it was made."""
    was_run = any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    return was_run or notebook.metadata.get("exercises", {}).get("generated_sha256") != digest(
        notebook
    )


def make(source, target):
    """Write the student copy of the notebook `source` to `target`.

    Returns
    -------
    "written" or "unchanged"

    Raises
    ------
    Refused
        When `source` is at fault, or `target` holds work of a student. Nothing is written then.
    """
    notebook = student_copy(read(source), source.name)
    content = (nbformat.writes(notebook) + "\n").encode()
    if target.exists():
        if target.read_bytes() == content:
            return "unchanged"
        if holds_own_work(read(target)):
            raise Refused(
                f"{target.name} was edited or run and is left as it is: "
                "rename it to keep your work, then run `make exercises` again"
            )
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return "written"


def main(notebooks=NOTEBOOKS):
    """Make every student copy that can be made; returns 1 when one was refused, else 0."""
    sources = notebooks_in(notebooks / "solutions", "*.ipynb")
    if not sources:
        print(
            f"error: there is no notebook in {notebooks / 'solutions'}. In a copy for students "
            "that is so, and exercises/ is complete",
            file=sys.stderr,
        )
        return 1
    refused = False
    for source in sources:
        try:
            result = make(source, notebooks / "exercises" / source.name)
            print(f"notebooks/exercises/{source.name}: {result}")
        except (Refused, OSError) as reason:
            print(f"error: {reason}", file=sys.stderr)
            refused = True
    return int(refused)


def _has_tag(cell, tag):
    return tag in cell.metadata.get("tags", [])


def _answer(cell, where):
    """The lines between the markers of an exercise cell."""
    if cell.cell_type != "code":
        raise Refused(f"{where}: a solution stands in text: it belongs in a code cell with a check")
    begins, ends = (cell.source.count(f"# {word} SOLUTION") for word in ("BEGIN", "END"))
    region = REGION.search(cell.source)
    if begins != 1 or ends != 1 or not region:
        raise Refused(
            f"{where}: {begins} BEGIN and {ends} END SOLUTION: one of each is needed, in this "
            "order, each on a line of its own"
        )
    return region[2]


def _closing_check(cell):
    """The arguments of the `check(...)` that closes a code cell, or None."""
    if cell.cell_type != "code":
        return None
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError:
        return None
    match statements[-1:]:
        case [ast.Expr(ast.Call(ast.Name("check"), arguments))]:
            return arguments
    return None


def _checked_name(cell, where):
    """The name of the exercise that the check at the end of a cell asks for."""
    match _closing_check(cell):
        case [ast.Constant(str(name)), ast.Name(function)]:
            pass
        case _:
            raise Refused(f'{where}: it must close with check("name", function)')
    if name not in NAMES:
        raise Refused(
            f"{where}: there is no exercise {name!r} in lecture_utils/exercises/registry.py"
        )
    if not re.search(rf"^def {function}\(", cell.source, re.MULTILINE):
        raise Refused(f"{where}: {function} is checked, but not defined in the same cell")
    return name


def _refuse_leak(answer, notebook, where):
    text = {" ".join(line.split()) for cell in notebook.cells for line in cell.source.splitlines()}
    for line in answer.splitlines():
        plain = " ".join(line.split())
        if len(plain) >= SHORTEST_TELLING_LINE and any(plain in other for other in text):
            raise Refused(f"{where}: the student copy shows the answer's line `{plain}`")


def _retitle(notebook, file_name):
    title, *rest = notebook.cells[0].source.split("\n") if notebook.cells else [""]
    if not (title.startswith("# ") and "Solutions" in title):
        raise Refused(f'{file_name}: the first line must be a title with the word "Solutions"')
    notebook.cells[0].source = "\n".join([title.replace("Solutions", "Exercises"), *rest])


if __name__ == "__main__":
    sys.exit(main())
