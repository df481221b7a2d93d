"""Print the pages of all lectures as one PDF, build/book.pdf: contents, page numbers, bookmarks."""

import html
import io
import sys

from tqdm import tqdm

from tools.chromium import ChromiumError, chromium, require_chromium
from tools.course import Parser, Refused, claim, command

A4 = {"format": "A4", "print_background": True}
MARGINS = {"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"}
# What a printed page does not need: ways to other pages, folded code. Answers are opened.
STYLE = """
.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .prev-next-footer,
.bd-footer, .course-links, .headerlink, .copybtn, details.hide > summary, .skip-link,
#jb-print-toc, #pst-back-to-top, .pst-scroll-pixel-helper { display: none !important; }
details.hide:not([open]) { display: none; }
.bd-main, .bd-content, .bd-article-container, .bd-article { max-width: none !important; }
.bd-article { padding: 0 !important; }
html { font-size: 13px; }
img, svg, figure, table, .cell_output { break-inside: avoid; }
h1, h2, h3 { break-after: avoid; }
.bd-article pre { font-size: 10px !important; white-space: pre-wrap !important; }
"""
PREPARE = """async () => {
    for (const details of document.querySelectorAll('details:not(.hide)')) details.open = true;
    for (const image of document.images) image.loading = 'eager';
    for (const frame of document.querySelectorAll('iframe')) frame.loading = 'eager';
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    await new Promise((done) => setTimeout(done, 500));
}"""
FRONT = """<!doctype html><meta charset="utf-8"><style>
body {{ font: 15px/1.5 sans-serif; }} h1 {{ font-size: 30px; margin: 60px 0 40px; }}
table {{ width: 100%; border-collapse: collapse; }} td {{ padding: 5px 0; }}
td + td {{ text-align: right; }}
</style><h1>The Kullback-Leibler divergence and autoencoders</h1><h2>Contents</h2>
<table>{rows}</table>"""
NUMBERS = """<!doctype html><style>
body {{ margin: 0; font: 12px sans-serif; text-align: center; }}
p {{ margin: 0; height: 296mm; padding-top: 284mm; box-sizing: border-box; break-after: page; }}
p:last-child {{ break-after: auto; }}
</style>{pages}"""


def print_book(site, target):
    """Print the pages in `site`/pages into the file `target`, and return how many there are.

    Raises
    ------
    Refused
        When there are no pages, or no Chromium.
    """
    from pypdf import PdfReader, PdfWriter

    files = sorted((site / "pages").glob("*.html"))
    if not files:
        raise Refused(f"no pages in {site / 'pages'}: run `make site` first")
    try:
        path = require_chromium()
    except ChromiumError as error:
        raise Refused(str(error)) from error

    def pdf(page, **options):
        return PdfReader(io.BytesIO(page.pdf(**A4, **options)))

    with chromium(path) as browser:
        page = browser.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light")
        chapters = []
        for file in tqdm(files, desc="book"):
            page.goto(file.as_uri())
            page.wait_for_function("document.documentElement.dataset.ready", timeout=60_000)
            page.add_style_tag(content=STYLE)
            page.evaluate(PREPARE)
            title = page.locator("h1").first.evaluate("(e) => e.firstChild.textContent.trim()")
            chapters.append((title, pdf(page, margin=MARGINS)))
        page.set_content(contents(chapters, 1))
        n_front = len(pdf(page, margin=MARGINS).pages)
        page.set_content(contents(chapters, n_front + 1))
        parts = [("Contents", pdf(page, margin=MARGINS)), *chapters]
        n_pages = sum(len(part.pages) for _, part in parts)
        page.set_content(NUMBERS.format(pages="".join(f"<p>{n + 1}</p>" for n in range(n_pages))))
        numbers = pdf(page)
    book = PdfWriter()
    for title, part in parts:
        book.append(part, outline_item=title, import_outline=False)
    for sheet, number in zip(book.pages, numbers.pages, strict=True):
        sheet.merge_page(number)
    book.add_metadata({"/Title": "The Kullback-Leibler divergence and autoencoders"})
    partial = target.with_name(f".{target.name}.partial")
    book.write(partial)
    partial.replace(target)
    return n_pages


def contents(chapters, first):
    """Return the page of contents, when the first chapter begins on page `first`."""
    rows = []
    for title, chapter in chapters:
        rows.append(f"<tr><td>{html.escape(title)}</td><td>{first}</td></tr>")
        first += len(chapter.pages)
    return FRONT.format(rows="".join(rows))


@command("stopped: the book is as it was")
def main():
    """Print the book and return the exit status."""
    parser = Parser("book", __doc__)
    parser.add_output()
    output = parser.parse_args().output
    claim(output)
    n_pages = print_book(output, output / "book.pdf")
    print(f"printed {n_pages} pages to {output / 'book.pdf'}")


if __name__ == "__main__":
    sys.exit(main())
