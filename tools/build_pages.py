"""Build the course's web pages and slides from the notebooks, each one self-contained HTML file.

Every lecture becomes a page to read (pages/NN_*.html) and slides to present (slides/NN_*.html);
index.html leads to all of them. The files hold their scripts, styles and pictures, so that they
open from a disk or a memory stick without a network.
"""

import os
import re
import shutil
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import jinja2
import nbformat
from nbconvert import HTMLExporter
from tqdm import tqdm

from tools.course import NOTEBOOKS, Parser, claim, command
from tools.packages import PACKAGE_FILES, BuildError, package_bytes, package_file
from tools.slides import render_deck

COURSE_TITLE = "The Kullback-Leibler divergence and autoencoders"
TEMPLATES = Path(__file__).with_name("templates")
EXERCISES = NOTEBOOKS / "exercises"
FOLDERS = ("pages", "slides", "exercises")

NOTEBOOK_LINK = re.compile(r"\[([^\]]+)\]\(([^()\s]+\.ipynb)(#[^()\s]*)?\)")


@dataclass(frozen=True)
class Lecture:
    """What the index and the links between pages need to know of a lecture."""

    stem: str
    title: str
    question: str
    minutes: int | None
    exercise: Path | None

    @property
    def number(self):
        return self.stem[:2]


def build(source, target):
    """Build pages, slides and index of the notebooks in `source` into `target`.

    The folders are replaced only after everything has been built, so that neither stale nor
    half-written files are left behind.

    Parameters
    ----------
    source : Path
        Folder with executed lecture notebooks NN_*.ipynb.
    target : Path
        Folder that receives pages/, slides/, exercises/ and index.html.

    Returns
    -------
    Path
        The course index, target/index.html.
    """
    paths = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise BuildError(f"no lecture notebooks (NN_*.ipynb) in {source}: run `make run` first")
    for name in PACKAGE_FILES:
        package_bytes(name)  # a missing file is reported before anything is built
    lectures = [describe(path) for path in paths]
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target, prefix=".building-") as scratch:
        new = Path(scratch)
        for folder in FOLDERS:
            (new / folder).mkdir()
        build_lectures(paths, lectures, new)
        (new / "index.html").write_text(render_index(lectures), encoding="utf-8")
        for folder in FOLDERS:
            shutil.rmtree(target / folder, ignore_errors=True)
            (new / folder).replace(target / folder)
        (new / "index.html").replace(target / "index.html")
    return target / "index.html"


def build_lectures(paths, lectures, target):
    """Build every lecture's files in `target`, several lectures at once."""
    # "spawn" everywhere: forking a process with threads (pytest, torch) can hang.
    workers = min(os.cpu_count() or 1, len(paths))
    # Ctrl-C is for this process alone; the others would each print where they were.
    ignore = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), **ignore) as pool:
        jobs = [
            pool.submit(build_lecture, path, lectures, index, target)
            for index, path in enumerate(paths)
        ]
        for job in tqdm(as_completed(jobs), total=len(jobs), desc="pages and slides"):
            job.result()


def build_lecture(path, lectures, index, target):
    """Write one lecture's page, slides and exercise page."""
    lecture = lectures[index]
    around = {
        "lecture": lecture,
        "previous": lectures[index - 1] if index else None,
        "next": lectures[index + 1] if index + 1 < len(lectures) else None,
    }
    notebook = link_to_pages(read(path), lectures)
    outputs = {
        "pages": render("page", for_page(notebook), around),
        "slides": render_deck(notebook, lecture),
    }
    if lecture.exercise:
        exercise = link_to_pages(read(lecture.exercise), lectures)
        outputs["exercises"] = render("page", for_page(exercise), around | {"is_exercise": True})
    for folder, html in outputs.items():
        (target / folder / f"{lecture.stem}.html").write_text(html, encoding="utf-8")


def describe(path):
    """Read what the index says about the lecture at `path`."""
    notebook = read(path)
    if all(slide_type(cell) in {"skip", "notes"} for cell in notebook.cells):
        raise BuildError(f"{path} has no cell that is shown on a slide")
    course = notebook.metadata.get("course", {})
    return Lecture(
        stem=path.stem,
        title=first_heading(notebook) or path.stem,
        question=course.get("question", ""),
        minutes=course.get("minutes"),
        exercise=next(iter(sorted(EXERCISES.glob(f"{path.stem[:2]}_*.ipynb"))), None),
    )


def read(path):
    """Read a notebook; one that cannot be read is named in one line."""
    try:
        return nbformat.read(path, as_version=4)
    except (
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
        AttributeError,
        UnicodeError,
    ) as error:
        raise BuildError(f"{path} is not a notebook: {str(error).splitlines()[0]}") from error


def first_heading(notebook):
    """Return the notebook's first Markdown heading without its number, or None."""
    for cell in notebook.cells:
        heading = re.search(r"^#\s+(?:\d\d · )?(.+?)\s*$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1]
    return None


def slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def is_injected(cell):
    """Say whether papermill wrote this cell, for parameters given on the command line."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def for_page(notebook):
    """Return the notebook as a reader wants it: without speaker notes and papermill's comment."""
    notebook = nbformat.from_dict(notebook)
    notebook.cells = [cell for cell in notebook.cells if slide_type(cell) != "notes"]
    for cell in filter(is_injected, notebook.cells):
        cell.source = cell.source.removeprefix("# Parameters\n")
    return notebook


def link_to_pages(notebook, lectures):
    """Point Markdown links between notebooks to pages; one without a page becomes plain text."""
    pages = {f"{lecture.stem}.ipynb": f"../pages/{lecture.stem}.html" for lecture in lectures}
    exercises = {
        lecture.exercise.name: f"../exercises/{lecture.stem}.html"
        for lecture in lectures
        if lecture.exercise
    }

    def page_link(match):
        text, path, anchor = match.groups()
        *folders, name = path.split("/")
        known = {"exercises": exercises, "solutions": {}}.get(folders[-1] if folders else "", pages)
        return f"[{text}]({known[name]}{anchor or ''})" if name in known else text

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = NOTEBOOK_LINK.sub(page_link, cell.source)
    return notebook


@cache
def exporter(template):
    """Return nbconvert's exporter for the template "page"."""
    return HTMLExporter(
        template_name=template,
        extra_template_basedirs=[str(TEMPLATES)],
        extra_template_paths=[str(TEMPLATES)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )


def render(template, notebook, around):
    """Return the HTML of `notebook` in the nbconvert template "page"."""
    course = {"title": COURSE_TITLE, "css": style(), "file": package_file, **around}
    html, _ = exporter(template).from_notebook_node(notebook, {"course": course})
    return html


def render_index(lectures):
    """Return the HTML of the course index."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    template = environment.get_template("course_index.html.j2")
    return template.render(title=COURSE_TITLE, css=style(), lectures=lectures)


def style():
    return (TEMPLATES / "course.css").read_text(encoding="utf-8")


@command("stopped: the pages are as they were")
def main():
    """Build from the stored outputs and return the exit status."""
    parser = Parser("build_pages", __doc__)
    parser.add_output()
    output = parser.parse_args().output
    claim(output)
    try:
        print(f"open {build(NOTEBOOKS, output)}")
    except BuildError as error:
        return f"pages not built: {error}"


if __name__ == "__main__":
    sys.exit(main())
