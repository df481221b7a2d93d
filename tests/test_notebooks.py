"""What every lecture keeps, beyond the outputs that nbval compares.

Each check returns a list of complaints, so that test_checks_bite can run it on damaged copies.
"""

import ast
import itertools
import json
import re

import pytest
from conftest import ROOT

import lecture_utils
from tools.cells import ROLES, unfolded

NOTEBOOKS = ROOT / "notebooks"
LECTURES = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
# The modules whose functions the lectures show in full.
SHOWN_MODULES = ("divergences", "autoencoders", "training", "evaluation")
NOT_SHOWN = {"set_up", "subnormals_as_zero"}  # seeds, threads, speed: no lecture is about them
MAX_BYTES, MAX_CODE_LINES, MAX_LESSON_LINES = 500_000, 25, 12
# What a lesson shows whole although it is longer, because the lecture is about it.
LONGER_LESSONS = {"convolutional_autoencoder", "fit"}
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
# 8 to 14 slides carry the argument; a subslide is a second step of the same thought.
SLIDES = range(8, 15)


def read(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def code_cells(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code" and c["source"].strip()]


def prints_or_shows(source):
    """Whether a cell calls something that makes an output: print, confirm, compare or show."""
    calls = [n for n in ast.parse(source).body if not isinstance(n, ast.FunctionDef)]
    names = {
        n.func.id
        for top in calls
        for n in ast.walk(top)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    return bool(
        names & {"print", "confirm", "compare", "show", "show_images", "table", "values", "check"}
    )


def execution(notebook):
    complaints = []
    counts = [c["execution_count"] for c in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        complaints.append(f"execution counts are {counts}, not 1 to {len(counts)}")
    for cell in code_cells(notebook):
        if prints_or_shows(cell["source"]) and not cell["outputs"]:
            complaints.append(f"{cell['id']}: prints or shows, but no output is stored")
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                complaints.append(f"{cell['id']}: an error or a warning is stored")
    return complaints


def alt_texts(notebook):
    complaints = []
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                if len(alt) < 40:
                    complaints.append(f"{cell['id']}: the alt text {alt!r} does not describe it")
    return complaints


def offline(notebook):
    """Nothing in an output may ask the outside for anything."""
    return [
        f"{cell['id']}: an output names an address outside: {address}"
        for cell in code_cells(notebook)
        for address in re.findall(
            r"""(?:src|href)=\\?["'](?:https?:)?//[^"'\\]+""", json.dumps(cell["outputs"])
        )
    ]


def prose(source):
    """Markdown without math, code and quoted parameters."""
    for pattern in (r"```.*?```", r"\$\$.*?\$\$", r"\$.*?\$", r"`[^`]*`"):
        source = re.sub(pattern, " ", source, flags=re.S)
    return source


def prose_without_measured_numbers(notebook):
    return [
        f"{cell['id']}: the prose states the number {number}; let a cell print it"
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for number in re.findall(r"\d+\.\d+", prose(cell["source"]))
    ]


def headings(notebook):
    levels = [
        len(match[1])
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for match in re.finditer(r"(?m)^(#+) ", re.sub(r"(?s)```.*?```", "", cell["source"]))
    ]
    complaints = (
        [] if levels[:1] == [1] and levels.count(1) == 1 else ["one '# title' must open it"]
    )
    jumps = [
        f"a heading of level {b} follows one of level {a}"
        for a, b in itertools.pairwise(levels)
        if b > a + 1
    ]
    return complaints + jumps


def layout(notebook):
    complaints = []
    tagged = [c for c in code_cells(notebook) if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1 or "seed" not in tagged[0]["source"]:
        complaints.append("it needs one cell tagged parameters, with a seed")
    for cell in code_cells(notebook):
        lines = cell["source"].count("\n") + 1
        if lines > MAX_CODE_LINES:
            complaints.append(f"{cell['id']}: {lines} lines of code, at most {MAX_CODE_LINES}")
    course = notebook["metadata"].get("course", {})
    if not (course.get("question", "").endswith("?") and 5 <= course.get("minutes", 0) <= 25):
        complaints.append("metadata.course needs a question and the minutes (5 to 25)")
    return complaints


def roles(notebook):
    """What a code cell is for says whether it is folded, how long it is and what it puts out."""
    complaints = []
    for cell in code_cells(notebook):
        tags = cell["metadata"].get("tags", [])
        roles = [tag for tag in tags if tag in ROLES]
        if len(roles) != 1:
            complaints.append(f"{cell['id']}: its roles are {roles}, it needs one of {ROLES}")
            continue
        role = roles[0]
        folded = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
        if folded != (role != "lesson" and "parameters" not in tags):
            complaints.append(f"{cell['id']}: as {role} it must{' not' * folded} be folded")
        lines = cell["source"].count("\n") + 1
        allowed = LONGER_LESSONS & definitions(cell["source"]).keys()
        if role == "lesson" and lines > MAX_LESSON_LINES and not allowed:
            complaints.append(
                f"{cell['id']}: a lesson of {lines} lines, at most {MAX_LESSON_LINES}"
            )
        complaints += [f"{cell['id']}: {c}" for c in output_of_role(role, cell["outputs"])]
    return complaints


def output_of_role(role, outputs):
    shown = {kind for output in outputs for kind in output.get("data", {})}
    printed = "".join("".join(output.get("text", "")) for output in outputs)
    if role == "figure" and not shown & {"image/png", "text/html"}:
        return ["a figure shows a picture, a table or an explorer"]
    if role == "check" and "✓ " not in printed and "text/html" not in shown:
        return ["a check confirms or compares"]
    if role in ("lesson", "setup") and "image/png" in shown:
        return [f"a {role} shows no picture: split it"]
    if role == "setup" and outputs:
        return ["a setup puts nothing out"]
    if shown == {"text/plain"}:
        return ["its last line shows a bare value"]
    return []


def no_printed_tables(notebook):
    return [
        f"{cell['id']}: prints columns, use a table: {line}"
        for cell in code_cells(notebook)
        for output in cell["outputs"]
        for line in "".join(output.get("text", "")).splitlines()
        if not line.startswith("✓ ") and re.search(r"\S {2,}\S", line)
    ]


def notes(notebook):
    """A note is one line in JupyterLab, which unfolds; Markdown cells are not hidden otherwise."""
    complaints = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            if "source_hidden" in cell["metadata"].get("jupyter", {}):
                complaints.append(f"{cell['id']}: hidden Markdown opens as raw text")
            is_note = cell["metadata"].get("slideshow", {}).get("slide_type") == "notes"
            opening = "<details><summary>Speaker's note</summary>\n\n"
            folded = cell["source"].startswith(opening) and unfolded(cell["source"])
            if is_note and (not folded or folded == cell["source"].strip()):
                complaints.append(
                    f"{cell['id']}: a note stands in {opening.strip()} ... </details>"
                )
    return complaints


def slides(notebook):
    kinds = [c["metadata"].get("slideshow", {}).get("slide_type") for c in notebook["cells"]]
    complaints = [
        f"{cell['id']}: no slide type"
        for cell, kind in zip(notebook["cells"], kinds, strict=True)
        if kind not in SLIDE_TYPES
    ]
    noted = True
    for cell, kind in zip(notebook["cells"], kinds, strict=True):
        if kind == "slide":
            if not noted:
                complaints.append(f"the slide before {cell['id']} has no speaker's note")
            noted = False
        noted = noted or kind == "notes"
    return complaints if noted else [*complaints, "the last slide has no speaker's note"]


def number_of_slides(notebook):
    return sum(
        c["metadata"].get("slideshow", {}).get("slide_type") == "slide" for c in notebook["cells"]
    )


def definitions(source):
    """Functions and classes of a module or a notebook by name, as syntax.

    Without docstrings, and without decorators, which here change the speed and nothing else.
    """
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(inner):
                    inner.body = inner.body[1:]
            found.setdefault(node.name, []).append(ast.dump(node))
    return found


def library_definitions():
    """What the library defines and a lecture must show."""
    found = {}
    for module in SHOWN_MODULES:
        for folder in lecture_utils.__path__:
            path = ROOT / folder / f"{module}.py"
            if path.exists():
                found |= definitions(path.read_text(encoding="utf-8"))
    return {name: dumps for name, dumps in found.items() if name not in NOT_SHOWN}


def shown_once(notebooks, library):
    """Complaints where the lectures' definitions are not the library's, each shown exactly once."""
    shown = {}
    for name, notebook in notebooks.items():
        source = "\n\n".join(c["source"] for c in code_cells(notebook))
        for function, dumps in definitions(source).items():
            shown.setdefault(function, []).extend((name, dump) for dump in dumps)
    complaints = []
    for function, (dump,) in library.items():
        places = shown.get(function, [])
        if len(places) != 1:
            complaints.append(f"{function} is shown {len(places)} times, not once")
        complaints += [
            f"{name}: {function} is not the library's: make the two the same"
            for name, shown_dump in places
            if shown_dump != dump
        ]
    return complaints


CHECKS = [
    execution,
    alt_texts,
    offline,
    prose_without_measured_numbers,
    headings,
    layout,
    roles,
    no_printed_tables,
    notes,
    slides,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_lecture(path, check):
    assert check(read(path)) == []


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_size_and_length(path):
    assert path.stat().st_size <= MAX_BYTES
    if not path.name.startswith("00"):
        assert number_of_slides(read(path)) in SLIDES


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "check", [execution, alt_texts, offline, headings], ids=lambda c: c.__name__
)
def test_solution(path, check):
    assert check(read(path)) == []


def test_definitions_are_the_librarys_and_shown_once():
    assert shown_once({path.stem: read(path) for path in LECTURES}, library_definitions()) == []


def test_every_lecture_has_exercises():
    wanted = {path.name for path in LECTURES if not path.name.startswith("00")}
    for folder in ("solutions", "exercises"):
        assert {path.name for path in (NOTEBOOKS / folder).glob("*.ipynb")} == wanted


def lecture_table(text):
    """The rows | number | [title](path) | question | minutes | of a Markdown text."""
    return re.findall(
        r"(?m)^\| (\d\d) \| \[(.+?)\]\((?:notebooks/)?(.+?)\) \| (.+?) \| (\d+) \|", text
    )


@pytest.mark.parametrize("page", ["README.md", "notebooks/00_start_here.ipynb"])
def test_the_table_of_lectures_is_right(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".ipynb"):
        text = "\n".join(cell["source"] for cell in read(ROOT / page)["cells"])
    rows = []
    for path in LECTURES:
        notebook = read(path)
        title = notebook["cells"][0]["source"].splitlines()[0].removeprefix("# ")
        course = notebook["metadata"]["course"]
        number, title = title.split(" · ")
        rows.append((number, title, path.name, course["question"], str(course["minutes"])))
    assert lecture_table(text) == rows


def test_the_instructors_table_is_right():
    """TEACHING.md: number, title, path, what to read first, minutes, seconds, memory."""
    text = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    rows = [(number, path, minutes) for number, _, path, _, minutes in lecture_table(text)]
    assert rows == [
        (path.name[:2], path.name, str(read(path)["metadata"]["course"]["minutes"]))
        for path in LECTURES
    ]
