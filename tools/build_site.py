"""Build the course's website: pages to read, slides to present and an index, from the notebooks.

Nothing in it needs a network: it opens from a disk or a memory stick.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from base64 import b64decode
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import jinja2
import nbformat
from tqdm import tqdm

from tools.cells import slide_type
from tools.course import (
    NOTEBOOKS,
    ROOT,
    RUNS_IN_A_BROWSER,
    Parser,
    claim,
    command,
    notebooks_in,
    repository,
)
from tools.packages import PACKAGE_FILES, BuildError, package_bytes, package_file
from tools.pages import addresses, for_page, glossary_entries, link_terms, link_to_pages, unrun
from tools.slides import render_deck

WEBSITE = ROOT / "website"
EXERCISES = NOTEBOOKS / "exercises"
FOLDERS = ("pages", "slides", "exercises", "downloads", "_static", "_images")
PARTS = (
    ("", range(1)),
    ("Part 1: the Kullback-Leibler divergence", range(1, 7)),
    ("Part 2: autoencoders", range(7, 100)),
)


@dataclass(frozen=True)
class Lecture:
    """What the index and the links between pages need to know of a lecture."""

    stem: str
    title: str
    question: str
    summary: str
    minutes: int | None
    alt: str  # of its picture on the index, or ""
    exercise: Path | None

    @property
    def number(self):
        return self.stem[:2]


def build(source, target):
    """Build pages, slides and index of the notebooks in `source` into `target`.

    What is in the way is replaced only after everything has been built, so that neither stale nor
    half-written files are left behind.

    Parameters
    ----------
    source : Path
        Folder with executed lecture notebooks NN_*.ipynb.
    target : Path
        Folder that receives index.html, pages/, slides/, exercises/ and what they share.

    Returns
    -------
    Path
        The course index, target/index.html.

    Raises
    ------
    BuildError
        When something is missing, damaged, or not understood by Sphinx.
    """
    paths = notebooks_in(source)
    if not paths:
        raise BuildError(f"no lecture notebooks (NN_*.ipynb) in {source}: run `make run` first")
    for name in PACKAGE_FILES:
        package_bytes(name)  # a missing file is reported before anything is built
    notebooks = {path.stem: read(path) for path in paths}
    lectures = [describe(path, notebooks[path.stem]) for path in paths]
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target, prefix=".building-") as scratch:
        prepared, site = Path(scratch) / "source", Path(scratch) / "site"
        prepare(prepared, lectures, notebooks, has_lite=(target / "lite").exists())
        (site / "slides").mkdir(parents=True)
        build_all(prepared, site, lectures, notebooks)
        for lecture, path in zip(lectures, paths, strict=True):
            copy_for_download(site / "downloads", path, lecture)
        replace(site, target)
    return target / "index.html"


# ---- what is known of a lecture ----


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


def describe(path, notebook):
    """Read what the index says about a lecture."""
    if all(slide_type(cell) in {"skip", "notes"} for cell in notebook.cells):
        raise BuildError(f"{path} has no cell that is shown on a slide")
    course = notebook.metadata.get("course", {})
    picture = find_picture(notebook)
    return Lecture(
        stem=path.stem,
        title=first_heading(notebook) or path.stem,
        question=course.get("question", ""),
        summary=course.get("summary", ""),
        minutes=course.get("minutes"),
        alt=picture.metadata.get("image/png", {}).get("alt", "") if picture else "",
        exercise=next(iter(notebooks_in(EXERCISES, f"{path.stem[:2]}_*.ipynb")), None),
    )


def first_heading(notebook):
    """Return the notebook's first Markdown heading without its number, or None."""
    for cell in notebook.cells:
        heading = re.search(r"^#\s+(?:\d\d · )?(.+?)\s*$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1]
    return None


def find_picture(notebook):
    """Return the output that stands for the lecture: of the cell it names, else the first one."""
    named = notebook.metadata.get("course", {}).get("picture")
    cells = [cell for cell in notebook.cells if named in (None, cell.get("id"))]
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return next((output for output in outputs if "image/png" in output.get("data", {})), None)


# ---- the source that Sphinx reads ----


def prepare(folder, lectures, notebooks, has_lite):
    """Write what Sphinx reads: the website's own files and the prepared notebooks."""
    shutil.copytree(WEBSITE, folder, ignore=shutil.ignore_patterns("slides", "*.j2"))
    for name in ("pages", "exercises", "static/pictures"):
        (folder / name).mkdir()
    # A formula is drawn by a script that all pages share.
    (folder / "static" / "mathjax.js").write_text(package_file("mathjax"), encoding="utf-8")
    address = addresses(lectures)
    entries = glossary_entries((WEBSITE / "glossary.md").read_text(encoding="utf-8"))
    for name in ("summary.md", "glossary.md"):
        text = link_to_pages((WEBSITE / name).read_text(encoding="utf-8"), address)
        if name == "summary.md":
            text = link_terms(text, entries, seen=set())
        (folder / name).write_text(text, encoding="utf-8")
    for lecture in lectures:
        in_browser = has_lite and int(lecture.number) in RUNS_IN_A_BROWSER
        page = for_page(notebooks[lecture.stem], address, entries)
        add_around(page, lecture, False, in_browser)
        nbformat.write(page, folder / "pages" / f"{lecture.stem}.ipynb")
        picture = find_picture(notebooks[lecture.stem])
        if picture:
            data = b64decode(picture.data["image/png"])
            (folder / "static" / "pictures" / f"{lecture.number}.png").write_bytes(data)
        if lecture.exercise:
            page = for_page(unrun(read(lecture.exercise)), address, entries)
            add_around(page, lecture, True, in_browser)
            nbformat.write(page, folder / "exercises" / f"{lecture.stem}.ipynb")
    parts = [
        (title, [lecture for lecture in lectures if int(lecture.number) in numbers])
        for title, numbers in PARTS
    ]
    text = template("index.md").render(parts=[part for part in parts if part[1]])
    (folder / "index.md").write_text(text, encoding="utf-8")


def add_around(notebook, lecture, is_exercise, in_browser=False):
    """Add what a page has around the notebook: links below its title, its place in the sidebar."""
    first = next(
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown" and re.search(r"(?m)^# ", cell.source)
    )
    links = template("links.html").render(
        lecture=lecture,
        is_exercise=is_exercise,
        in_browser=in_browser,
        repository=repository(),
    )
    first.source = re.sub(
        r"(?m)^# .*$", lambda title: f"{title[0]}\n\n{links}", first.source, count=1
    )
    if lecture.exercise and not is_exercise:
        below = f"```{{toctree}}\n:hidden:\nExercises </exercises/{lecture.stem}>\n```"
        notebook.cells.append(nbformat.v4.new_markdown_cell(below))


def template(name):
    options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(WEBSITE), **options)
    return environment.get_template(f"{name}.j2")


# ---- building ----


def build_all(prepared, site, lectures, notebooks):
    """Let Sphinx build the pages and, meanwhile, build the slides."""
    # "spawn" everywhere: forking a process with threads (pytest, torch) can hang.
    workers = min(os.cpu_count() or 1, len(lectures) + 1)
    # Ctrl-C is for this process alone; the others would each print where they were.
    ignore = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), **ignore) as pool:
        jobs = [pool.submit(run_sphinx, prepared, site)]
        for lecture in lectures:
            file = site / "slides" / f"{lecture.stem}.html"
            jobs.append(pool.submit(write_deck, notebooks[lecture.stem], lecture, lectures, file))
        for job in tqdm(as_completed(jobs), total=len(jobs), desc="pages and slides"):
            job.result()


def run_sphinx(prepared, site):
    """Build the pages. A warning is an error, told in one line."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--builder", "html"]
    command += ["--doctree-dir", prepared.parent / "doctrees", prepared, site]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        wrong = next((line for line in lines if "WARNING" in line or "ERROR" in line), None)
        message = (wrong or [*lines, "Sphinx gave no reason"][0]).replace(f"{prepared}{os.sep}", "")
        raise BuildError(re.sub(r"\x1b\[[\d;]*m", "", message))


def write_deck(notebook, lecture, lectures, file):
    """Write the slides of one lecture."""
    address = addresses(lectures)

    def page(path):
        found = address(path)
        return found and f"..{found.removesuffix('.ipynb')}.html"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = link_to_pages(cell.source, page)
    file.write_text(render_deck(notebook, lecture), encoding="utf-8")


def copy_for_download(folder, path, lecture):
    """Copy the notebooks as they are, for readers who want to run them."""
    (folder / "exercises").mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder / path.name)
    if lecture.exercise:
        shutil.copy(lecture.exercise, folder / "exercises" / f"{lecture.stem}.ipynb")


def replace(site, target):
    """Put what has been built in the place of what was there."""
    for unwanted in [*site.rglob("*.map"), site / "objects.inv", site / ".buildinfo"]:
        unwanted.unlink(missing_ok=True)
    shutil.rmtree(site / "_sources", ignore_errors=True)
    for folder in FOLDERS:
        shutil.rmtree(target / folder, ignore_errors=True)
    for path in sorted(site.iterdir(), key=lambda path: path.name == "index.html"):
        path.replace(target / path.name)


@command("stopped: the website is as it was")
def main():
    """Build from the stored outputs and return the exit status."""
    parser = Parser("build_site", __doc__)
    parser.add_output()
    output = parser.parse_args().output
    claim(output)
    try:
        print(f"open {build(NOTEBOOKS, output)}")
    except BuildError as error:
        return f"website not built: {error}"


if __name__ == "__main__":
    sys.exit(main())
