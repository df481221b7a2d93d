"""What a cell puts on a slide: words, a question, code, pictures, tables, numbers, ticks."""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from html import escape

from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

from tools.cells import role, tags, ticks, unfolded
from tools.packages import BuildError

NOTEBOOK_LINK = re.compile(r"\[([^\]]+)\]\([^()\s]+\.ipynb(?:#[^()\s]*)?\)")
UNIT = re.compile(r'(<th scope="col">[^<]*?) (\([^()$]*\))</th>')
MINUS = re.compile(r"(?<=>)-(?=\d)")  # of a number in a table: a hyphen is too short for it
PREDICT = re.compile(r"\s*<strong>Predict[.:]?</strong>[.:]?\s*")


@dataclass
class Part:
    """One thing on a slide.

    kind: heading, words, stem, options, answer, code, picture, explorer, table, values, ticks,
    printed. shape: a picture's width divided by its height. step: whether it comes with a step of
    its own.
    """

    kind: str
    html: str
    shape: float = 0.0
    step: int | None = None


def parts_of(cell):
    """What `cell` puts on its slide."""
    if cell.cell_type == "markdown":
        return list(words(unfolded(cell.source)))
    if cell.cell_type != "code":
        return []
    code = [Part("code", code_html(cell))] if shows_code(cell) else []
    return code + [part for output in cell.outputs for part in output_parts(output)]


# ---- words ----


def html_of(markdown):
    """Markdown as HTML; formulas stay TeX, and links to notebooks become plain words."""
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(NOTEBOOK_LINK.sub(r"\1", markdown))


def words(markdown):
    """Split a Markdown cell into its headings, tables, question and the words between them."""
    soup = BeautifulSoup(html_of(markdown), "html.parser")
    blocks = [block for block in soup.contents if str(block).strip()]
    names = [block.name for block in blocks]
    asks = "details" in names
    stem_ends = names.index("details") if asks else 0
    for index, block in enumerate(blocks):
        html = str(block)
        if block.name in {"h1", "h2", "h3"}:
            yield Part("heading", html)
        elif block.name == "table":
            yield Part("table", html.replace("<th></th>", "<td></td>"))
        elif block.name == "details":
            if block.get("data-answer") != "next slide":
                yield answer(block)
        elif asks and block.name == "ol" and index == stem_ends - 1:
            yield options(block, blocks[stem_ends].get("data-right"))
        elif asks and index < stem_ends:
            yield Part("stem", PREDICT.sub("", html))
        else:
            yield Part("words", html)


def answer(details):
    details.summary.decompose()
    return Part("answer", f'<div class="answer fragment">{details.decode_contents().strip()}</div>')


def options(block, right):
    """The choices of a question, the right one marked; long ones stand below each other."""
    items = block.find_all("li", recursive=False)
    if right is not None and not 1 <= int(right) <= len(items):
        raise BuildError(f"the answer says data-right={right}, but there are {len(items)} options")
    longest = max(len(re.sub(r"\\[a-z]+|[{}$^_]", "", item.get_text())) for item in items)
    beside = len(items) * longest <= 75 and len(items) <= 4
    choices = "".join(
        f"<li{' class=right' * (str(number) == right)}><span>{item.decode_contents()}</span></li>"
        for number, item in enumerate(items, start=1)
    )
    return Part("options", f'<ol class="options {"beside" if beside else "below"}">{choices}</ol>')


# ---- code ----


def shows_code(cell):
    """Say whether the code itself is on the slide: only what teaches is."""
    if role(cell):
        return role(cell) == "lesson"
    if {"parameters", "injected-parameters", "hide-input"} & set(tags(cell)):
        return False
    return not any(
        {"image/png", "text/html"} & output.get("data", {}).keys() for output in cell.outputs
    )


def code_html(cell):
    """The code in rows, its decisive lines marked: `metadata.course.key`, several parted by …"""
    source = re.sub(r"\n{3,}", "\n\n", cell.source.strip("\n"))
    keys = cell.metadata.get("course", {}).get("key", "").split(" … ")
    for key in filter(None, keys):
        if source.count(key) != 1:
            raise BuildError(f"the line {key!r} is {source.count(key)} times in its cell, not once")
    rows = "".join(
        f'<span class="row{" key" * any(key and key in line for key in keys)}">{painted}</span>'
        for line, painted in zip(source.split("\n"), painted_lines(source), strict=True)
    )
    return f"<pre class=code><code>{rows}</code></pre>"


def painted_lines(source):
    """The lines of Python code, with the class of each token as Pygments names it."""
    lines = [""]
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        name = STANDARD_TYPES.get(kind, "")
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append("")
            if piece:
                shown = escape(piece, quote=False)
                lines[-1] += f'<span class="{name}">{shown}</span>' if name else shown
    return lines


# ---- outputs ----


def output_parts(output):
    """What a stored output puts on the slide."""
    if output.output_type == "stream":
        return text_parts(output.text) if output.name == "stdout" else []
    data = output.get("data", {})
    if "text/html" in data:
        return [html_part(data["text/html"])]
    for kind in ("image/svg+xml", "image/png"):
        if kind in data:
            return [picture(data[kind], kind, output.metadata.get(kind, {}))]
    return text_parts(data.get("text/plain", ""))


def text_parts(text):
    """Printed text: first its plain lines, then the claims that held."""
    claims, rest = ticks(text)
    parts = [Part("printed", f"<pre>{escape(rest, quote=False)}</pre>")] if rest.strip() else []
    if claims:
        items = "".join(tick(*claim) for claim in claims)
        parts.append(Part("ticks", f'<ul class="ticks">{items}</ul>'))
    return parts


def tick(claim, evidence):
    small = f'<span class="evidence">{escape(evidence, quote=False)}</span>' if evidence else ""
    return f"<li>{escape(claim, quote=False)}{small}</li>"


def html_part(html):
    if "<iframe" in html:
        return Part("explorer", html)
    html = MINUS.sub("−", html)
    if "<table" in html:
        return Part("table", UNIT.sub(r'\1 <span class="unit">\2</span></th>', html))
    return Part("values" if 'class="values' in html else "words", html)


def picture(data, kind, metadata):
    """A picture; `metadata` holds its alt text and the size of its type."""
    if kind == "image/svg+xml":
        size = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', data)
        width, height = (float(side) for side in size.groups())
        data = b64encode(data.encode()).decode()
    else:
        data = data.replace("\n", "")
        header = b64decode(data[:40])
        width, height = (int.from_bytes(header[at : at + 4]) for at in (16, 20))
    alt = escape(metadata.get("alt", ""))
    type_size = metadata.get("type_share")
    told = f' data-type="{type_size}"' if type_size else ""
    image = f'<img alt="{alt}"{told} src="data:{kind};base64,{data}">'
    return Part("picture", f'<div class="figure">{image}</div>', shape=width / height)
