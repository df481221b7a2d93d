"""Print the slides to PDF, one page a slide, answers shown, and the notes beside small slides.

In a Chromium without a window.
"""

import shutil
import sys
from base64 import b64encode
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from tools.chromium import ChromiumError, chromium, require_chromium
from tools.course import Parser, command

NOTES_STYLE = """
body { font: 10.5pt/1.4 sans-serif; color: #222; }
section { display: grid; grid-template-columns: 44% 1fr; gap: 7mm; margin: 0 0 7mm;
          break-inside: avoid; }
img { width: 100%; border: 1px solid #bbb; }
p { margin: 0 0 2mm; }
"""


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


def print_notes(browser, slides, pdf):
    """Print the notes of the file `slides`, each beside its slide, to the file `pdf`."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(slides.resolve().as_uri())
    page.wait_for_function("document.documentElement.dataset.ready", timeout=60_000)
    sections = []
    for index in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate("index => Reveal.slide(index, 0, 99)", index)  # 99: with its last step
        page.wait_for_timeout(400 if page.locator("section.present iframe").count() else 100)
        picture = b64encode(page.screenshot(type="jpeg", quality=80)).decode()
        note = page.evaluate("Reveal.getCurrentSlide().querySelector('aside.notes')?.innerHTML")
        image = f'<img src="data:image/jpeg;base64,{picture}" alt="slide {index + 1}">'
        sections.append(f"<section>{image}<div>{note or ''}</div></section>")
    title = escape(page.title().replace("(slides)", "(notes)"))
    page.set_content(f"<style>{NOTES_STYLE}</style><h1>{title}</h1>{''.join(sections)}")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "14mm")
    page.pdf(path=pdf, format="A4", margin=margin, print_background=True)
    page.close()


def print_slides(source, target):
    """Print every slides file in `source`, and its notes, to PDFs in `target`, made anew."""
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
                print_notes(browser, deck, new / f"{deck.stem}_notes.pdf")
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
