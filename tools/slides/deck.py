"""A deck: the slides of a lecture, each with its title, minute, layout, note and contents."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2
from bs4 import BeautifulSoup

from tools.cells import is_injected, is_note, is_slide_only, slide_type, unfolded
from tools.packages import BuildError, package_file
from tools.slides.fonts import font_faces
from tools.slides.layout import LAYOUTS, arranged, layout_of
from tools.slides.parts import Part, html_of, parts_of

TEMPLATES = Path(__file__).resolve().parents[2] / "website" / "slides"
NOTE_LABEL = re.compile(r"\A\*\*Speaker's note\.?\*\*\.?\s*")


@dataclass
class Slide:
    """One slide, in HTML.

    title is None where the cells have no heading of their own; minute is None where none is set;
    own_words are those for the slide alone; layout may be given by the author.
    """

    title: str | None = None
    minute: int | None = None
    layout: str | None = None
    parts: list = field(default_factory=list)
    own_words: list = field(default_factory=list)
    note: str = ""
    steps: int = 0
    body: str = ""
    repeated: bool = False


def render_deck(notebook, lecture):
    """Return the deck of a lecture as one HTML file that needs no other.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed lecture; its outputs are shown as they are stored.
    lecture : object with number, title, question and minutes
        What the title slide and the running line say.

    Raises
    ------
    BuildError
        When the notebook has no slide, names a layout that does not exist, or marks a line or an
        option that is not there; when a package has lost a file.
    """
    slides = slides_of(notebook)
    if not slides:
        raise BuildError(f"{lecture.number} {lecture.title} has no cell that is shown on a slide")
    for number, slide in enumerate(slides):
        slide.layout = slide.layout or layout_of(slide, first=number == 0)
        if slide.layout.split()[0] not in LAYOUTS:
            raise BuildError(
                f"slide {number + 1} has the layout {slide.layout!r}; "
                f"there are: {', '.join(LAYOUTS)}"
            )
        slide.layout, slide.body = arranged(slide, lecture)
    give_titles(slides, lecture)
    return template().render(
        lecture=lecture,
        slides=slides,
        file=package_file,
        own=lambda name: (TEMPLATES / name).read_text(encoding="utf-8"),
        fonts=font_faces(),
    )


@cache
def template():
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("deck.html.j2")


def slides_of(notebook):
    """Gather the cells of each slide: from one that begins a slide to the next."""
    slides = []
    for cell in notebook.cells:
        kind = slide_type(cell)
        if kind == "skip" or is_injected(cell):
            continue
        if kind in {"slide", "subslide"} or (not slides and not is_note(cell)):
            slides.append(Slide())
        if slides:
            add(slides[-1], cell)
    return slides


def add(slide, cell):
    """Add what `cell` shows to `slide`; an answer and a fragment come with a step of their own."""
    if is_note(cell):
        slide.note += html_of(NOTE_LABEL.sub("", unfolded(cell.source)))
        return
    course = cell.metadata.get("course", {})
    slide.minute = course.get("minute", slide.minute)
    slide.layout = course.get("layout", slide.layout)
    parts = parts_of(cell)
    if slide_type(cell) == "fragment" and parts:
        for part in parts:
            part.step = slide.steps
        slide.steps += 1
    for part in parts:
        if part.kind == "answer":
            part.step = slide.steps
            slide.steps += 1
        if part.kind == "heading" and slide.title is None:
            slide.title = inside(part.html)
        elif is_slide_only(cell):
            slide.own_words.append(part)
        else:
            slide.parts.append(heading_below(part))


def inside(html):
    return BeautifulSoup(html, "html.parser").contents[0].decode_contents()


def heading_below(part):
    """A heading below the slide's title is part of the words."""
    if part.kind != "heading":
        return part
    return Part("words", f"<h3>{inside(part.html)}</h3>", step=part.step)


def give_titles(slides, lecture):
    """A slide without a title continues the one before it: it repeats that title."""
    slides[0].title = title = lecture.title
    for slide in slides:
        slide.repeated = slide.title is None
        if slide.repeated:
            slide.title = f"{title} …"
        else:
            title = slide.title
