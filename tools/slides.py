"""Turn a lecture into slides to present: one HTML file with reveal.js and MathJax inside."""

from functools import cache
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import TagRemovePreprocessor

from tools.cells import is_injected
from tools.packages import package_file

TEMPLATES = Path(__file__).with_name("templates")
# Tag of a cell whose slide shows the output alone. Cells that show a figure need no tag.
HIDE_INPUT = "hide-input"


def render_deck(notebook, lecture):
    """Return the HTML of the slides of `notebook`; `lecture` has its number and title."""
    style = (TEMPLATES / "course.css").read_text(encoding="utf-8")
    course = {"css": style, "file": package_file, "lecture": lecture}
    html, _ = exporter().from_notebook_node(for_slides(notebook), {"course": course})
    return html


def for_slides(notebook):
    """Return the notebook for presenting: figures without their code, nothing of papermill's."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        if is_injected(cell):
            cell.metadata["slideshow"] = {"slide_type": "skip"}
        if shows_figure(cell):
            cell.metadata.setdefault("tags", []).append(HIDE_INPUT)
    return notebook


def shows_figure(cell):
    """Say whether the cell's output is a picture or an interactive figure."""
    return any(
        {"image/png", "text/html"} & output.get("data", {}).keys()
        for output in cell.get("outputs", [])
    )


@cache
def exporter():
    """Return nbconvert's exporter for slides."""
    exporter = HTMLExporter(
        template_name="slides",
        extra_template_basedirs=[str(TEMPLATES)],
        extra_template_paths=[str(TEMPLATES)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    exporter.register_preprocessor(
        TagRemovePreprocessor(remove_input_tags={HIDE_INPUT}), enabled=True
    )
    return exporter
