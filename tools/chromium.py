"""A Chromium without a window: to print slides, and to measure them."""

import os
import shutil
from contextlib import contextmanager

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


class ChromiumError(Exception):
    """What keeps Chromium from being driven, in one line."""


def find_chromium():
    """Return the path of a Chromium, named by COURSE_CHROMIUM or found on PATH, or None."""
    named = os.environ.get("COURSE_CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def require_chromium():
    """Return the path of a Chromium that can be driven, or say in one line what is missing."""
    path = find_chromium()
    if path is None:
        raise ChromiumError(
            "no Chromium found: install chromium or google-chrome, "
            "or give its path in the environment variable COURSE_CHROMIUM"
        )
    try:
        import playwright  # noqa: F401
    except ModuleNotFoundError as error:
        raise ChromiumError("Playwright is missing: install requirements-dev.txt") from error
    return path


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
