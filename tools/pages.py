"""Prepare a notebook for its page: what is left out, folded, shown as sentences, and linked."""

import re
from html import escape
from itertools import groupby

import nbformat
from nbformat.v4 import new_code_cell, new_output

from tools.cells import is_injected, is_note, is_slide_only, role, ticks
from tools.course import code_cells

FOLDED_ROLES = ("figure", "check", "setup")
NOTEBOOK_LINK = re.compile(r"\[([^\]]+)\]\(([^()\s]+\.ipynb)(#[^()\s]*)?\)")
GLOSSARY = re.compile(r"^```\{glossary\}\n(.*?)^```", re.M | re.S)
# Where a term of the glossary does not become a link.
NO_PROSE = re.compile(
    r"""
      ^```.*?^```                  # a block of code
    | ^<[a-z/].*?(?:\n[ ]*\n|\Z)   # a block of HTML ends with an empty line
    | ^\#+[ ].*?$                  # a heading
    | `[^`]*`                      # code
    | \$\$.*?\$\$ | \$[^$]*\$      # a formula
    | !?\[[^\]]*\]\([^)]*\)        # a link or a picture
    | https?://\S+
    | <[^>]+>                      # an HTML tag
    """,
    re.M | re.S | re.X,
)


def unrun(notebook):
    """A student may have worked in the copy: what a check said there is not for the page."""
    for cell in code_cells(notebook.cells):
        cell.outputs = []
    return notebook


def for_page(notebook, address, entries):
    """Return the notebook as a reader wants it.

    Without speaker's notes and words for slides alone; the code of pictures, checks and imports
    folded; claims as a list; pictures with their alt texts; links that lead to pages.

    Parameters
    ----------
    notebook : NotebookNode
    address : function
        From the path of a notebook, as a link has it, to where the page is, or None.
    entries : dict of str to str
        Terms of the glossary, as `glossary_entries` gives them.
    """
    notebook = nbformat.from_dict(notebook)
    notebook.metadata.setdefault("language_info", {"name": "python"})
    cells = [cell for cell in notebook.cells if not is_note(cell) and not is_slide_only(cell)]
    cells = folded_together(cells)
    seen = set()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = link_to_pages(cell.source, address)
            cell.source = link_terms(cell.source, entries, seen)
        elif cell.cell_type == "code":
            prepare_code(cell)
    notebook.cells = [part for cell in cells for part in one_picture_each(cell)]
    return notebook


def folded_together(cells):
    """Fold code that shows nothing with the folded code after it, and checks in a row as one."""
    together = []
    for cell in cells:
        if together and is_folded(together[-1]) and is_folded(cell):
            before, roles = together[-1], {role(together[-1]), role(cell)}
            if not before.outputs or roles == {"check"}:
                cell.source = f"{before.source}\n\n\n{cell.source}"
                cell.outputs = joined(before.outputs + cell.outputs)
                together.pop()
        together.append(cell)
    return together


def is_folded(cell):
    return cell.cell_type == "code" and role(cell) in FOLDED_ROLES


def joined(outputs):
    """What was printed in a row as one text, so that its claims become one list."""
    if not outputs or any(output.output_type != "stream" for output in outputs):
        return outputs
    return [new_output("stream", text="".join(output.text for output in outputs))]


def prepare_code(cell):
    if is_injected(cell):
        cell.source = cell.source.removeprefix("# Parameters\n")
    elif role(cell) in FOLDED_ROLES or cell.metadata.get("jupyter", {}).get("source_hidden"):
        cell.metadata.setdefault("tags", []).append("hide-input")
    cell.outputs = [part for output in cell.outputs for part in claims_as_list(output)]


def claims_as_list(output):
    """Split what a cell printed into plain lines and lists of claims."""
    if output.output_type != "stream" or "✓ " not in output.text:
        return [output]
    parts = []
    lines = output.text.splitlines()
    for are_claims, group in groupby(lines, key=lambda line: line.startswith("✓ ")):
        text = "\n".join(group)
        if are_claims:
            parts.append(new_output("display_data", {"text/html": claims_html(ticks(text)[0])}))
        elif text.strip():
            parts.append(new_output("stream", name=output.name, text=text))
    return parts


def claims_html(claims):
    items = "".join(
        f"<li>{escape(claim, quote=False)}"
        + (f' <span class="evidence">{escape(evidence, quote=False)}</span>' if evidence else "")
        + "</li>"
        for claim, evidence in claims
    )
    return f'<ul class="ticks">{items}</ul>'


def one_picture_each(cell):
    """Split a cell so that each part shows one picture, whose alt text MyST-NB takes from it."""
    if cell.cell_type != "code":
        return [cell]
    parts = [cell]
    outputs, cell.outputs = cell.outputs, []
    for output in outputs:
        if "image/png" in output.get("data", {}):
            if "mystnb" in parts[-1].metadata:
                parts.append(new_code_cell("...", metadata={"tags": ["remove-input"]}))
            alt = output.metadata.get("image/png", {}).get("alt", "")
            parts[-1].metadata["mystnb"] = {"image": {"alt": alt}}
        parts[-1].outputs.append(output)
    return parts


def addresses(lectures):
    """Return the function from a link between notebooks to the page that it should lead to."""
    pages = {f"{lecture.stem}.ipynb": f"/pages/{lecture.stem}.ipynb" for lecture in lectures}
    exercises = {
        lecture.exercise.name: f"/exercises/{lecture.stem}.ipynb"
        for lecture in lectures
        if lecture.exercise
    }

    def address(path):
        *folders, name = path.split("/")
        known = {"exercises": exercises, "solutions": {}}.get(folders[-1] if folders else "", pages)
        return known.get(name)

    return address


def link_to_pages(source, address):
    """Point links between notebooks to their pages; a link without a page becomes plain text."""

    def page_link(match):
        text, path, anchor = match.groups()
        page = address(path)
        return f"[{text}]({page}{anchor or ''})" if page else text

    return NOTEBOOK_LINK.sub(page_link, source)


def glossary_entries(text):
    """Return the terms of a glossary in Markdown: from each name to the first name of its entry."""
    entries, first = {}, None
    for line in "\n".join(GLOSSARY.findall(text)).splitlines():
        if not line or line.startswith(" "):
            first = None
        else:
            first = first or line
            entries[line] = first
    return entries


def link_terms(source, entries, seen):
    """Link the first use of each term in prose to the glossary; `seen` holds those linked."""
    if not entries:
        return source
    by_length = sorted(entries, key=len, reverse=True)
    names = "|".join(r"\s+".join(map(re.escape, name.split())) for name in by_length)
    pattern = re.compile(rf"(?<![\w-])(?P<name>{names})s?(?![\w-])", re.I)
    by_name = {name.lower(): entry for name, entry in entries.items()}

    def term_link(match):
        entry = by_name[" ".join(match["name"].lower().split())]
        if entry in seen:
            return match[0]
        seen.add(entry)
        return f"{{term}}`{' '.join(match[0].split())} <{entry}>`"

    parts, start = [], 0
    for skipped in NO_PROSE.finditer(source):
        parts += [pattern.sub(term_link, source[start : skipped.start()]), skipped[0]]
        start = skipped.end()
    return "".join([*parts, pattern.sub(term_link, source[start:])])
