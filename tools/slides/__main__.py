"""Build single decks, for authors: python -m tools.slides 01 08 --output build/slides.

With --measure it says, for each deck, how far it is from what the tests ask.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools.chromium import ChromiumError, chromium, require_chromium
from tools.packages import BuildError
from tools.slides import render_deck
from tools.slides.measure import measure, summary

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


def build(path, target):
    """Build one deck in the folder `target`; return it and its minutes."""
    notebook = nbformat.read(path, as_version=4)
    lecture = lecture_of(path, notebook)
    deck = target / f"{path.stem}.html"
    deck.write_text(render_deck(notebook, lecture), encoding="utf-8")
    return deck, lecture.minutes


def measured(decks):
    """Open each deck in Chromium and print its numbers."""
    with chromium(require_chromium()) as browser:
        for deck, minutes in decks:
            page = browser.new_page()
            page.goto(deck.resolve().as_uri())
            page.wait_for_function("document.documentElement.dataset.ready", timeout=60_000)
            print(deck, *summary(measure(page), minutes), "", sep="\n")
            page.close()


def main():
    description, _, _ = __doc__.partition("\n")
    parser = argparse.ArgumentParser(prog="python -m tools.slides", description=description)
    parser.add_argument("notebooks", nargs="+", help="numbers (01) or paths")
    parser.add_argument("--output", type=Path, default=Path("build/slides"))
    parser.add_argument("--measure", action="store_true", help="say what the tests would say")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        decks = [build(path, arguments.output) for path in chosen(arguments.notebooks)]
        if arguments.measure:
            measured(decks)
        else:
            print(*(deck for deck, _ in decks), sep="\n")
    except (BuildError, ChromiumError) as error:
        sys.exit(f"slides not built: {error}")


if __name__ == "__main__":
    main()
