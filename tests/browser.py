"""A Chromium for the tests, the network cut off, and a list of everything that goes wrong."""

import os
from contextlib import contextmanager

import pytest

from tools.chromium import chromium, find_chromium

LOCAL = ("file:", "data:", "blob:", "about:")


def require_chromium():
    """Skip the calling module in one line where no Chromium is found.

    COURSE_REQUIRE_CHROMIUM=1 turns the skip into a failure.
    """
    if find_chromium() is None:
        reason = "no Chromium found (PATH or COURSE_CHROMIUM): pages and JupyterLab not checked"
        if os.environ.get("COURSE_REQUIRE_CHROMIUM") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)


@contextmanager
def open_browser():
    """Open the Chromium that was found; close it afterwards."""
    with chromium(find_chromium()) as browser:
        yield browser


@contextmanager
def open_page(browser, width=1280, height=720, allowed=LOCAL):
    """Open an empty page that reaches only addresses that begin with one of `allowed`.

    `page.troubles` lists, in words, every request to the outside (aborted), every other request
    that failed, every error that a script raised and every error on the console, also of windows
    and frames that the page opens.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, service_workers="block"
    )
    troubles = []

    def judge(route):
        if route.request.url.startswith(allowed):
            route.continue_()
        else:
            troubles.append(f"asks the outside: {route.request.url[:200]}")
            route.abort()

    def watch(page):
        page.on("pageerror", lambda error: troubles.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: (
                troubles.append(f"console: {message.text[:200]}")
                if message.type == "error"
                else None
            ),
        )
        page.on(
            "requestfailed",
            lambda request: (
                troubles.append(f"failed: {request.url[:200]}")
                if request.url.startswith(allowed)
                else None
            ),
        )

    context.route("**/*", judge)
    context.on("page", watch)
    page = context.new_page()
    page.troubles = troubles
    try:
        yield page
    finally:
        context.close()
