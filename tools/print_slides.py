"""Print the slides to PDF, one page a slide, in a Chromium without a window."""

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Keep a Chromium that nobody sees quiet, and away from the network.
CHROMIUM_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


class PrintError(Exception):
    """What keeps the slides from being printed, in one line."""


def find_chromium():
    """Return the path of a Chromium, named by COURSE_CHROMIUM or found on PATH, or None."""
    named = os.environ.get("COURSE_CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@contextmanager
def chromium(path):
    """Open the Chromium at `path` with a new, empty profile; close it afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


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
    path = find_chromium()
    if path is None:
        raise PrintError(
            "no Chromium found: install chromium or google-chrome, "
            "or give its path in the environment variable COURSE_CHROMIUM"
        )
    try:
        import playwright  # noqa: F401
    except ModuleNotFoundError as error:
        raise PrintError("Playwright is missing: install requirements-dev.txt") from error
    with TemporaryDirectory(dir=target.parent, prefix=".printing-") as scratch:
        new = Path(scratch) / target.name
        with chromium(path) as browser:
            for deck in tqdm(decks, desc="slides to PDF"):
                print_deck(browser, deck, new / f"{deck.stem}.pdf")
        shutil.rmtree(target, ignore_errors=True)
        new.replace(target)


def main():
    target = ROOT / "build" / "slides-pdf"
    try:
        print_slides(ROOT / "build" / "slides", target)
    except PrintError as error:
        sys.exit(f"slides not printed: {error}")
    print(f"printed to {target}")


if __name__ == "__main__":
    main()
