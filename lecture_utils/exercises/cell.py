"""What the cell that calls `check` defines, and where in a student's code an error arose."""

import ast
import functools
import inspect
import linecache
import os
import sys
import traceback

import numpy as np

from lecture_utils.exercises.exercise import Wrong


def refuse_leftover(name, caller):
    """Refuse an answer whose name the cell that is being executed does not define.

    The function in memory is then one of an earlier cell: right, perhaps, while what stands in the
    cell is not. Outside IPython, and where the cell's source is unknown, nothing is refused.

    Parameters
    ----------
    name : str
        Name of the exercise.
    caller : frame
        The frame that calls `check`.
    """
    shell = _shell(caller)
    if shell is None or caller.f_code.co_name != "<module>":
        return
    answer = leftover(name, _source_of_cell(caller, shell))
    if answer:
        raise Wrong(
            f"{name}: this cell does not define `{answer}`, the one in memory is from an "
            "earlier cell: define it in the cell that checks it"
        )


def leftover(name, source):
    """The name of the answer to exercise `name` that a cell checks and does not define, or ""."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    if _runs_other_code(module):
        return ""
    answers = _answers_checked(module, name)
    return next((answer for answer in answers if not _binds(module, answer)), "")


def _shell(frame):
    """The IPython whose cell runs in `frame`, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if shell is not None and shell.user_ns is frame.f_globals else None


def _source_of_cell(frame, shell):
    """The cell, as IPython keeps it for tracebacks; within `%%time`, as it was written."""
    source = "".join(linecache.getlines(frame.f_code.co_filename))
    if source:
        return source
    written = shell.history_manager.input_hist_raw[-1]
    if written.startswith("%%"):
        written = written.partition("\n")[2]
    return shell.transform_cell(written)


def _answers_checked(module, name):
    """The names that are handed to `check` as answers to the exercise `name`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and "check" in (
            getattr(node.func, "id", ""),
            getattr(node.func, "attr", ""),
        ):
            given = [*node.args, *[keyword.value for keyword in node.keywords]]
            if any(isinstance(value, ast.Constant) and value.value == name for value in given):
                yield from (value.id for value in given if isinstance(value, ast.Name))


def _binds(module, name):
    """Whether a cell binds `name` outside its functions: by def, class, =, :=, for, import ..."""
    waiting = list(module.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if node.name == name:
                    return True
                continue
            case ast.Name(id=found, ctx=ast.Store()) if found == name:
                return True
            case ast.alias() if (node.asname or node.name.partition(".")[0]) in (name, "*"):
                return True
            case ast.Lambda():
                continue
        waiting.extend(ast.iter_child_nodes(node))
    return False


def _runs_other_code(module):
    """Whether a cell runs code that stands elsewhere: by `exec` or `%run`."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="exec")):
                return True
            case ast.Call(
                func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant("run"), *_]
            ):
                return True
    return False


def source_files(function):
    """The files, or cells, that hold the code of a callable and of what it wraps."""
    files, waiting = set(), [function]
    for _ in range(20):  # what wraps itself would never end
        if not waiting:
            break
        one = waiting.pop()
        try:
            inner = [
                getattr(one, "__wrapped__", None),  # functools.wraps, lru_cache
                one.func if isinstance(one, functools.partial) else None,
                one.pyfunc if isinstance(one, np.vectorize) else None,
                getattr(one, "__func__", None),
            ]
            code = getattr(one, "__code__", None)
            if code is None:  # an object that can be called
                code = getattr(type(one).__call__, "__code__", None)
        except Exception:  # an object may refuse every attribute
            continue
        if inspect.iscode(code):
            files.add(code.co_filename)
        waiting += [part for part in inner if callable(part)]
    return files


def place_of(error, function):
    """ "line 3 of the cell, `...`, raised ", for an error in the student's code, or ""."""
    files = source_files(function)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files
    ]
    if not frames:
        return ""
    file, number = frames[-1].filename, frames[-1].lineno
    source = linecache.getline(file, number).strip()
    where = os.path.basename(file) if os.path.exists(file) else "the cell"
    return f"line {number} of {where}, `{source}`, raised "


def is_stub(error, function):
    """Whether an error is that of an exercise without an answer yet."""
    if type(error) is not NotImplementedError or error.args not in ((), ("your code here",)):
        return False
    files = source_files(function)
    frames = traceback.extract_tb(error.__traceback__)
    return not files or frames[-1].filename in files
