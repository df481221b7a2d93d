"""Make a notebook fit for a Python that has no torch, as a browser's."""

import ast
from functools import cache

from nbformat.v4 import new_markdown_cell

from tools.course import ROOT, code_cells

REMARK = "*This part needs PyTorch, which a browser does not have.*"


@cache
def needs_torch(module):
    """Whether importing `module` imports torch, as far as lecture_utils is concerned."""
    if module.split(".")[0] != "lecture_utils":
        return module.split(".")[0] == "torch"
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    body = ast.parse(path.read_text(encoding="utf-8")).body  # imports inside functions come late
    return any(needs_torch(name) for statement in body for name in imported(statement))


def imported(statement):
    """Return the names of the modules that a statement imports."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module] if isinstance(statement, ast.ImportFrom) else []


def adapt(notebook):
    """Take out of `notebook`, in place, what needs torch.

    Imports are left out; of a cell that uses what they would bring, the stored pictures stay.
    """
    missing = {"torch"}
    for cell in code_cells(notebook.cells):
        tree = ast.parse(plain(cell.source))
        unwanted = [s for s in tree.body if any(map(needs_torch, imported(s)))]
        for statement in unwanted:
            missing |= {alias.asname or alias.name for alias in statement.names}
        lines = cell.source.splitlines()
        for statement in reversed(unwanted):
            del lines[statement.lineno - 1 : statement.end_lineno]
        cell.source = "\n".join(lines)
    notebook.cells = [
        picture_of(cell) if cell.cell_type == "code" and uses(cell, missing) else cell
        for cell in notebook.cells
    ]


def plain(source):
    """Return `source` without IPython's own lines, which Python does not understand."""
    return "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())


def uses(cell, names):
    """Whether a cell mentions one of `names`, as a name or as a string."""
    nodes = ast.walk(ast.parse(plain(cell.source)))
    return any(
        getattr(node, "id", None) in names or getattr(node, "value", None) in list(names)
        for node in nodes
        if isinstance(node, ast.Name | ast.Constant)
    )


def picture_of(cell):
    """Return a Markdown cell with the stored pictures of `cell`, and why it does not run."""
    attachments, lines = {}, []
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            name = f"{len(attachments)}.png"
            attachments[name] = {"image/png": output.data["image/png"]}
            alt = output.metadata.get("image/png", {}).get("alt", "")
            lines.append(f"![{alt}](attachment:{name})".replace("\n", " "))
    return new_markdown_cell(
        "\n\n".join([*lines, REMARK]), attachments=attachments, metadata=cell.metadata, id=cell.id
    )
