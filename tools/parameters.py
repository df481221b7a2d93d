"""Parameters of notebooks: read from the command line, converted, injected as papermill does."""

import ast

from papermill.parameterize import parameterize_notebook

from tools.cells import tags
from tools.course import Refused, code_cells


def give_parameters(runs, text):
    """Inject the parameters "name=value name=value" into every notebook that has them."""
    given = split_parameters(text)
    known = {run.name: parameters_of(run) for run in runs}
    there_are = ", ".join(sorted(set().union(*known.values()))) or "none"
    for name in given:
        if not any(name in defaults for defaults in known.values()):
            raise Refused(f'no chosen lecture has a parameter "{name}"; there are: {there_are}')
    for run in runs:
        defaults = known[run.name]
        values = {
            name: convert(name, value, defaults[name], run.name)
            for name, value in given.items()
            if name in defaults
        }
        if values:
            run.notebook = inject(run.notebook, values)


def split_parameters(text):
    """Return "seed=3 n_samples=2000" as a dictionary of texts."""
    given = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise Refused(f'"{part}" is no parameter: write name=value, as in seed=3')
        if name in given:
            raise Refused(f'the parameter "{name}" is given twice')
        given[name] = value
    return given


def parameters_of(run):
    """Return names and defaults from the cell tagged "parameters"."""
    cells = code_cells(run.notebook.cells)
    source = next((cell.source for cell in cells if "parameters" in tags(cell)), "")
    try:
        return {
            statement.targets[0].id: ast.literal_eval(statement.value)
            for statement in ast.parse(source).body
            if isinstance(statement, ast.Assign)
        }
    except (SyntaxError, ValueError, AttributeError) as error:
        message = f"the parameters cell of {run.name} holds more than name = value"
        raise Refused(message) from error


def convert(name, text, default, lecture):
    """Return the value that `text` stands for, if it is of the default's type."""
    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = text  # a bare word
    if type(value) is int and type(default) is float:
        return float(value)
    if type(value) is not type(default):
        kind = type(default).__name__
        raise Refused(f"{name}={text} is no {kind}: {lecture} has {name} = {default!r}")
    return value


def inject(notebook, values):
    """Return the notebook with papermill's cell that sets `values` after its parameters cell."""
    notebook.metadata["papermill"] = {}  # papermill notes the values here
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # papermill looks at every cell's tags
    return parameterize_notebook(notebook, values, kernel_name="python3", language="python")
