"""Build single decks, for authors: python -m tools.slides 01 08 --output build/slides."""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools.packages import BuildError
from tools.slides import render_deck

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Lecture:
    """What a deck says of its lecture."""

    stem: str
    title: str
    question: str
    minutes: int | None

    @property
    def number(self):
        return self.stem[:2]


def lecture_of(path, notebook):
    heading = next(
        (found for cell in notebook.cells if (found := re.search(r"^# (.+)$", cell.source, re.M))),
        None,
    )
    title = re.sub(r"^\d\d · ", "", heading[1]) if heading else path.stem
    course = notebook.metadata.get("course", {})
    return Lecture(path.stem, title, course.get("question", ""), course.get("minutes"))


def chosen(names):
    """The notebooks with these numbers or paths."""
    for name in names:
        paths = sorted(NOTEBOOKS.glob(f"{name}*.ipynb")) if len(name) == 2 else [Path(name)]
        if not paths or not paths[0].exists():
            raise BuildError(f"there is no notebook {name}")
        yield paths[0]


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.slides", description=__doc__)
    parser.add_argument("notebooks", nargs="+", help="numbers (01) or paths")
    parser.add_argument("--output", type=Path, default=Path("build/slides"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        for path in chosen(arguments.notebooks):
            notebook = nbformat.read(path, as_version=4)
            deck = arguments.output / f"{path.stem}.html"
            deck.write_text(render_deck(notebook, lecture_of(path, notebook)), encoding="utf-8")
            print(deck)
    except BuildError as error:
        sys.exit(f"slides not built: {error}")


if __name__ == "__main__":
    main()
