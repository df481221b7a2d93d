"""A Chromium for the tests, the network cut off, and a list of everything that goes wrong."""

import os
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe

from tools.chromium import chromium, find_chromium

LOCAL = ("file:", "data:", "blob:", "about:")
PLACEHOLDER = "No description has been provided for this image"  # nbconvert's
MEGABYTE = 1_000_000


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


# ---- checks: from a page to a list of complaints ----


def requests_outside(page):
    return [trouble for trouble in page.troubles if trouble.startswith("asks the outside")]


def unrendered_formulas(page):
    """Formulas that MathJax drew as an error, and TeX that stands in the text as it was typed."""
    return page.evaluate(r"""() => {
        const wrong = document.querySelectorAll('[data-mjx-error], [data-mml-node=merror]');
        const complaints = [...wrong]
            .map((e) => `formula not drawn: ${e.dataset.mjxError || e.textContent}`);
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const text = walker.currentNode.data;
            const typed = walker.currentNode.parentElement
                .closest('script, style, pre, code, mjx-container');
            if (!typed && /\$\$|\$[^$]+\$|\\begin|\\end|\\\(|\\\[/.test(text))
                complaints.push(`raw TeX: ${text.trim().slice(0, 80)}`);
        }
        return complaints;
    }""")


def short_brackets(page):
    """Matrices whose brackets are not as tall as the matrix."""
    return page.evaluate("""() => [...document.querySelectorAll('[data-mml-node=mtable]')]
        .flatMap((table) => [table.previousElementSibling, table.nextElementSibling]
            .filter((e) => e?.dataset.mmlNode === 'mo')
            .filter((e) => e.getBoundingClientRect().height <
                           0.9 * table.getBoundingClientRect().height)
            .map((e) => 'a bracket is shorter than its matrix'))""")


def images_without_alt(page):
    """Pictures without a text of their own; nbconvert's placeholder is none."""
    texts = page.evaluate("[...document.images].map((image) => image.alt)")
    return [
        f"picture {number} has no alt text: {text!r}"
        for number, text in enumerate(texts, start=1)
        if text == PLACEHOLDER or len(text) < 20
    ]


def axe_violations(page):
    return [
        f"axe {violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:120]}"
        for violation in Axe().run(page).response["violations"]
    ]


def too_big(file, megabytes):
    size = file.stat().st_size / MEGABYTE
    return [f"{file.name} has {size:.1f} MB, at most {megabytes} allowed"] * (size > megabytes)
