"""Print the slides to PDF, one page a slide, answers shown, in a Chromium without a window."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from tools.chromium import ChromiumError, chromium, require_chromium
from tools.course import Parser, command


class PrintError(Exception):
    """What keeps the slides from being printed, in one line."""


def print_deck(browser, slides, pdf):
    """Print the file `slides` to the file `pdf`."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    # reveal.js lays out one page a slide when the address ends in ?print-pdf.
    page.goto(f"{slides.resolve().as_uri()}?print-pdf")
    page.wait_for_function("document.documentElement.dataset.printReady", timeout=60_000)
    page.pdf(path=pdf, prefer_css_page_size=True, print_background=True)
    page.close()


def print_slides(source, target):
    """Print every slides file in `source` to a PDF in `target`, which is made anew."""
    decks = sorted(source.glob("*.html"))
    if not decks:
        raise PrintError(f"no slides in {source}: run `make site` first")
    try:
        path = require_chromium()
    except ChromiumError as error:
        raise PrintError(str(error)) from error
    with TemporaryDirectory(dir=target.parent, prefix=".printing-") as scratch:
        new = Path(scratch) / target.name
        with chromium(path) as browser:
            for deck in tqdm(decks, desc="slides to PDF"):
                print_deck(browser, deck, new / f"{deck.stem}.pdf")
        shutil.rmtree(target, ignore_errors=True)
        new.replace(target)


@command("stopped: what was not finished is not stored")
def main():
    """Print the built slides and return the exit status."""
    parser = Parser("print_slides", __doc__)
    parser.add_output()
    output = parser.parse_args().output
    try:
        print_slides(output / "slides", output / "slides-pdf")
    except PrintError as error:
        return f"slides not printed: {error}"
    print(f"printed to {output / 'slides-pdf'}")


if __name__ == "__main__":
    sys.exit(main())
