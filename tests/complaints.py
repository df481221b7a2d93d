"""Checks of pages and slides in Chromium: plain functions from a page to a list of complaints."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from axe_playwright_python.sync_playwright import Axe

MEGABYTE = 1_000_000
PLACEHOLDER = "No description has been provided for this image"  # nbconvert's


def load(page, file):
    """Open `file` and wait until its formulas and slides stand."""
    page.goto(file.as_uri())
    page.wait_for_function("document.documentElement.dataset.ready")


def report(complaints):
    assert not complaints, "\n".join(["", *complaints])


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


def cut_code(page):
    """Code and printed lines that are wider or taller than their box: behind a scroll bar."""
    return page.evaluate("""() => {
        const cut = (box) => box.scrollWidth > box.clientWidth + 1
                          || box.scrollHeight > box.clientHeight + 1;
        const show = (slide) => { const {h, v} = Reveal.getIndices(slide); Reveal.slide(h, v); };
        const parts = window.Reveal ? Reveal.getSlides() : [document.body];
        return parts.flatMap((part) => {
            if (window.Reveal) show(part);
            return [...part.querySelectorAll('pre')].filter(cut)
                .map((box) => `cut: ${box.textContent.trim().slice(0, 60)}`);
        });
    }""")


def images_without_alt(page):
    """Pictures without a text of their own: nbconvert's placeholder and a file's name are none."""
    texts = page.evaluate("[...document.images].map((image) => image.alt)")
    return [
        f"picture {number} has no alt text: {text!r}"
        for number, text in enumerate(texts, start=1)
        if text == PLACEHOLDER or len(text) < 20 or text.endswith(".png")
    ]


def axe_violations(page, **options):
    # Without preload: from a disk it may not fetch style sheets, and no rule in use needs them.
    found = Axe().run(page, options={"preload": False} | options).response["violations"]
    return [
        f"axe {violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:120]}"
        for violation in found
    ]


def dead_links(page):
    """Links to files that do not exist, and to notebooks that a browser would have to show."""
    links = page.evaluate("""[...document.links]
        .map((link) => [link.href.split('#')[0], link.hasAttribute('download')])""")
    return [
        f"dead link: {link}"
        for link, is_download in links
        if link.startswith("file:")
        and (
            (link.endswith(".ipynb") and not is_download)
            or not Path(url2pathname(urlsplit(link).path)).exists()
        )
    ]


def dead_anchors(page):
    """Links to a place on the same page that is not there."""
    return page.evaluate("""[...document.querySelectorAll('a[href^="#"]')]
        .map((link) => decodeURIComponent(link.hash.slice(1)))
        .filter((id) => id && !document.getElementById(id)).map((id) => `dead anchor: ${id}`)""")


def too_wide(page):
    """Say so where the page as a whole has to be pushed sideways to be read."""
    width = page.evaluate("document.documentElement.scrollWidth")
    room = page.viewport_size["width"]
    return [f"the page is {width} px wide on a screen of {room}"] if width > room else []


def out_of_reach(page):
    """Boxes that scroll sideways and that the Tab key does not reach."""
    return page.evaluate("""() => [...document.querySelectorAll('article *')]
        .filter((e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
        .filter((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
        .filter((e) => e.tabIndex < 0 && !e.querySelector('a, button, summary, [tabindex="0"]'))
        .map((e) => `the keyboard does not reach: ${e.textContent.trim().slice(0, 60)}`)""")


def too_big(file, megabytes):
    size = file.stat().st_size / MEGABYTE
    return [f"{file.name} has {size:.1f} MB, at most {megabytes} allowed"] * (size > megabytes)
