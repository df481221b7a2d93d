"""The book: every lecture in it, the contents true, each page with its number."""

import re

import pytest
from browser import require_chromium
from pypdf import PdfReader

from tools.book import print_book
from tools.course import Refused

require_chromium()

PAGE = """<!doctype html><html data-ready="1"><nav class="bd-header">Away</nav>
<h1>{title}<a class="headerlink">#</a></h1><p>First words.</p>
<details class="hide"><summary>Show the code</summary>code()</details>
<details><summary>Answer</summary>This one.</details>
<p style="break-before: page">Second page.</p></html>"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    (site / "pages").mkdir()
    for title in ("01 · One & two", "02 · Three"):
        text = PAGE.format(title=title.replace("&", "&amp;"))
        (site / "pages" / f"{title[:2]}.html").write_text(text, encoding="utf-8")
    assert print_book(site, site / "book.pdf") == 5
    assert sorted(path.name for path in site.iterdir()) == ["book.pdf", "pages"]
    return PdfReader(site / "book.pdf")


def test_contents_bookmarks_and_page_numbers_agree(book):
    front = book.pages[0].extract_text()
    assert re.search(r"01 · One & two\s*2\b", front)
    assert re.search(r"02 · Three\s*4\b", front)
    bookmarks = {mark.title: book.get_destination_page_number(mark) for mark in book.outline}
    assert bookmarks == {"Contents": 0, "01 · One & two": 1, "02 · Three": 3}
    for number, page in enumerate(book.pages, start=1):
        assert str(number) in page.extract_text().split()


def test_answers_are_open_and_code_and_ways_are_left_out(book):
    text = book.pages[1].extract_text()
    assert "This one." in text
    for word in ("code()", "Show the code", "Away", "#"):
        assert word not in text


def test_a_site_without_pages_is_refused(tmp_path):
    with pytest.raises(Refused, match="run `make site` first"):
        print_book(tmp_path, tmp_path / "book.pdf")
