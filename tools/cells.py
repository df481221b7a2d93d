"""What a cell of a lecture is: its role, its part on a slide, and the ticks in what it prints."""

import re

ROLES = ("lesson", "figure", "check", "setup")
SLIDE_ONLY = "slide-only"  # words for the slide alone; the page says the same at more length
FOLDED = re.compile(r"\A<details[^>]*><summary>.*?</summary>\s*(.*?)\s*</details>\s*\Z", re.S)
TICK = re.compile(r"✓ (.*?)(?:  \((.*)\))?")


def tags(cell):
    return cell.metadata.get("tags", [])


def role(cell):
    """The role of a code cell, or None: papermill's cell of parameters has none."""
    return next((tag for tag in tags(cell) if tag in ROLES), None)


def slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def is_note(cell):
    return slide_type(cell) == "notes"


def is_slide_only(cell):
    return SLIDE_ONLY in tags(cell)


def is_injected(cell):
    """Say whether papermill wrote this cell, for parameters given on the command line."""
    return "injected-parameters" in tags(cell)


def unfolded(source):
    """The text inside a cell that JupyterLab shows as one folded line (<details>), or `source`."""
    match = FOLDED.match(source.strip())
    return match[1] if match else source


def ticks(text):
    """Split what a cell printed into its claims, as (claim, evidence), and the other lines."""
    claims, others = [], []
    for line in text.splitlines():
        match = TICK.fullmatch(line)
        if match:
            claims.append((match[1], match[2] or ""))
        else:
            others.append(line)
    return claims, "\n".join(others).strip("\n")
