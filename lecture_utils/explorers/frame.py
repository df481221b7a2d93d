"""The frame of every explorer: one self-contained HTML page, and a picture where it cannot run."""

import json
from pathlib import Path

from IPython.display import HTML

HERE = Path(__file__).parent

# Of a notebook that is not trusted, JupyterLab keeps <figure> and <img>, and drops <style>,
# <iframe> and <svg>. So the picture stands in there, and hides wherever the frame is shown.
FRAGMENT = """<div class="explorer">
<style>
.explorer iframe {{ width: 100%; height: 440px; border: 0; display: block }}
.explorer iframe ~ figure {{ display: none }}
:where(.reveal) .explorer iframe {{ height: 560px }}
</style>
<iframe title="{title}" srcdoc="{page}"></iframe>
{stand_in}</div>"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
{css}</style>
<body data-trained="{trained}">
<h1>{title}</h1>
<noscript><p>Scripts are switched off here, and this figure is drawn by one.</p></noscript>
<svg hidden></svg>
<script>
{js}</script>
<script>
"use strict";
const given = {given};
</script>
{own}</html>
"""


def explorer(name, title, given, *, page=None, scripts=(), trained=""):
    """The explorer `name` as HTML: its page in a frame, and the picture that stands in for it.

    Parameters
    ----------
    name : str
        Of the stand-in, stand_ins/NAME.html, and of the page, NAME.html.
    title : str
        Its question.
    given : dict
        What the script finds in `given`, without any number that was trained.
    page : str, optional
        Of the page where it is not `name`.
    scripts : tuple of str
        Files that the page needs besides frame.js.
    trained : str
        Numbers that were trained. They stand in one attribute, which nbval does not compare.
    """
    text = PAGE.format(
        title=title,
        css=_read("frame.css"),
        js="".join(map(_read, ("frame.js", *scripts))),
        own=_read(f"{page or name}.html"),
        given=json.dumps(given, ensure_ascii=False),
        trained=trained,
    )
    srcdoc = text.replace("&", "&amp;").replace('"', "&quot;")
    stand_in = _read(f"stand_ins/{name}.html")
    return HTML(FRAGMENT.format(title=title, page=srcdoc, stand_in=stand_in))


def check_in_range(name, value, low, high):
    """Refuse a start that the figure could not show; NaN is in no range."""
    if not low <= value <= high:
        raise ValueError(
            f"{name} is {value}: choose it between {low} and {high}, which is what the figure shows"
        )


def _read(name):
    return (HERE / name).read_text(encoding="utf-8")
