"""the size of pages and slides in build/, and of each in units of its executed notebook.

A page leaves scripts and pictures to files that it shares with others; slides hold all they need.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ("lecture", "notebook (MB)", "page (MB)", "slides (MB)", "page ratio", "slides ratio")


def rows():
    pages = sorted((ROOT / "build" / "pages").glob("[0-9][0-9]_*.html"))
    if not pages:
        return [("none: run `make site` first", "", "", "", "", "")]
    return [row(page) for page in pages]


def row(page):
    paths = (
        ROOT / "notebooks" / f"{page.stem}.ipynb",
        page,
        ROOT / "build" / "slides" / page.name,
    )
    notebook, *others = [path.stat().st_size / 1e6 for path in paths]
    sizes = [f"{size:.2f}" for size in (notebook, *others)]
    return (page.stem, *sizes, *[f"{size / notebook:.1f}" for size in others])
