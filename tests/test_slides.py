"""Slides as the audience gets them: in Chromium, from files, with the network cut off."""

import re
from pathlib import Path

import nbformat
import pytest
from browser import open_page, require_chromium
from complaints import (
    PLACEHOLDER,
    axe_violations,
    cut_code,
    dead_links,
    images_without_alt,
    load,
    report,
    requests_outside,
    short_brackets,
    too_big,
    unrendered_formulas,
)
from nbformat.v4 import new_code_cell, new_markdown_cell
from pypdf import PdfReader
from samples import cell_with_picture, sample_notebook, slide

from tools import print_slides
from tools.build_site import build
from tools.print_slides import PrintError, print_deck

require_chromium()

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LECTURES = sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def overflowing_slides(page):
    """Slides whose content, with all fragments shown and answers unfolded, passes an edge.

    Twenty pixels at the bottom belong to the slide's number.
    """
    return page.evaluate("""() => {
        Reveal.configure({fragments: false});
        document.querySelectorAll('details').forEach((details) => { details.open = true; });
        return Reveal.getSlides().flatMap((slide, index) => {
            const {h, v} = Reveal.getIndices(slide);
            Reveal.slide(h, v);
            const boxes = [...slide.querySelectorAll('*')]
                .filter((e) => !e.closest('aside.notes, mjx-assistive-mml'))
                .filter((e) => !e.parentElement.closest('svg'))
                .map((e) => e.getBoundingClientRect());
            const below = Math.max(...boxes.map((box) => box.bottom)) - (innerHeight - 20);
            const beside = Math.max(...boxes.map((box) => box.right)) - innerWidth;
            const complaints = [];
            if (below > 0) complaints.push(`slide ${index + 1}: ${Math.ceil(below)} px too long`);
            if (beside > 0) complaints.push(`slide ${index + 1}: ${Math.ceil(beside)} px too wide`);
            return complaints;
        });
    }""")


def load_for_print(page, file):
    """Open slides as they are printed: all are to be seen at once, which axe needs."""
    page.goto(f"{file.as_uri()}?print-pdf")
    page.wait_for_function("document.documentElement.dataset.printReady")


def slide_types(path):
    notebook = nbformat.read(path, as_version=4)
    return [cell.metadata.get("slideshow", {}).get("slide_type", "-") for cell in notebook.cells]


@pytest.mark.parametrize("stem", LECTURES)
def test_slides(site, browser, stem):
    file = site / "slides" / f"{stem}.html"
    with open_page(browser) as page:
        load(page, file)
        n_slides = page.evaluate("Reveal.getTotalSlides()")
        n_notes = page.locator("aside.notes:not([data-repeated])").count()
        complaints = [
            *images_without_alt(page),
            *unrendered_formulas(page),
            *dead_links(page),
            *overflowing_slides(page),
            *short_brackets(page),
            *cut_code(page),
            *too_big(file, 6),
        ]
        page.set_viewport_size({"width": 1920, "height": 1080})  # a projector instead of a laptop
        page.evaluate("Reveal.layout()")
        complaints += [*overflowing_slides(page), *cut_code(page), *page.troubles]
    kinds = slide_types(NOTEBOOKS / f"{stem}.ipynb")
    if n_slides != kinds.count("slide") + kinds.count("subslide"):
        complaints.append(f"{n_slides} slides, the notebook has another number of them")
    if n_notes != kinds.count("notes"):
        complaints.append(f"{n_notes} notes, the notebook has {kinds.count('notes')}")
    report(complaints)


@pytest.mark.parametrize("stem", LECTURES)
def test_slides_for_everybody_and_printed(site, browser, stem, tmp_path):
    file = site / "slides" / f"{stem}.html"
    with open_page(browser) as page:
        load(page, file)
        n_slides = page.evaluate("Reveal.getTotalSlides()")
        load_for_print(page, file)
        complaints = axe_violations(page) + page.troubles
    print_deck(browser, file, tmp_path / "slides.pdf")
    n_pages = len(PdfReader(tmp_path / "slides.pdf").pages)
    if n_pages != n_slides:
        complaints.append(f"{n_pages} printed pages for {n_slides} slides")
    report(complaints)


# ---- a small notebook: what the course need not hold ----


DAMAGES = {
    "90_sound": [
        slide("notes", "Ask what $x$ is."),
        slide("fragment", "It is one.\n\n<details><summary>Why?</summary>\n\n*So*.\n\n</details>"),
        slide("slide", "## A second slide"),
        new_code_cell("hidden_on_slides()", metadata={"tags": ["hide-input"]}),
        new_code_cell("# Parameters\nseed = 3", metadata={"tags": ["injected-parameters"]}),
        cell_with_picture({"image/png": {"alt": 'A "small" empty pair of axes.'}}),
    ],
    "91_long": [new_markdown_cell("\n\n".join(["One more line."] * 20))],
    "92_wide": [new_code_cell("x = " + " + ".join(["1"] * 80))],
    "93_formula": [new_markdown_cell("Here $\\undefinedmacro x$ and there $$\\frac{1}{2.")],
    "94_outside": [new_markdown_cell('<img src="https://cdn.example/x.png" alt="A far picture.">')],
    "95_no_alt": [cell_with_picture({})],
    "96_contrast": [new_markdown_cell('<p style="color: #bbb">Hardly to be read.</p>')],
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Source and target of a build of the sound sample and its damaged copies."""
    source = tmp_path_factory.mktemp("samples")
    for stem, cells in DAMAGES.items():
        nbformat.write(sample_notebook(*cells), source / f"{stem}.ipynb")
    return source, build(source, source / "build").parent


def complaints_about(browser, file, *checks, load=load):
    with open_page(browser) as page:
        load(page, file)
        return [complaint for check in checks for complaint in check(page)]


def test_a_sound_sample_passes_every_check(samples, browser):
    _, target = samples
    shared = [unrendered_formulas, short_brackets, cut_code, images_without_alt, requests_outside]
    slides = target / "slides" / "90_sound.html"
    complaints = [
        *complaints_about(browser, slides, overflowing_slides, *shared),
        *complaints_about(browser, slides, axe_violations, load=load_for_print),
    ]
    assert complaints == []


@pytest.mark.parametrize(
    ("stem", "check", "complaint"),
    [
        ("91_long", overflowing_slides, "slide 1: .* too long"),
        ("92_wide", overflowing_slides, "slide 1: .* too wide"),
        ("92_wide", cut_code, r"cut: x = 1 \+ 1"),
        ("93_formula", unrendered_formulas, "formula not drawn: .*undefinedmacro"),
        ("93_formula", unrendered_formulas, r"raw TeX: .*\$\$"),
        ("94_outside", requests_outside, "asks the outside: https://cdn.example/x.png"),
        ("95_no_alt", images_without_alt, PLACEHOLDER),
    ],
)
def test_damage_is_seen(samples, browser, stem, check, complaint):
    _, target = samples
    complaints = complaints_about(browser, target / "slides" / f"{stem}.html", check)
    assert re.search(complaint, "\n".join(complaints))


def test_pale_text_is_seen(samples, browser):
    _, target = samples
    file = target / "slides" / "96_contrast.html"
    (complaint,) = complaints_about(browser, file, axe_violations, load=load_for_print)
    assert complaint.startswith("axe color-contrast")


def test_speaker_notes_and_keys(samples, browser):
    """The notes window shows the note once, and turning the page in it turns the slides."""
    _, target = samples
    with open_page(browser) as page:
        load(page, target / "slides" / "90_sound.html")
        with page.expect_popup() as popup:
            page.keyboard.press("s")
        window = popup.value
        note = ".speaker-controls-notes .value"
        window.wait_for_function("note => document.querySelector(note).innerText", arg=note)
        assert window.inner_text(note).split() == ["Ask", "what", "is."]  # x is a picture
        assert window.locator(f"{note} svg").count() == 1
        window.keyboard.press("ArrowRight")
        page.wait_for_selector(".fragment.visible")
        window.keyboard.press("ArrowRight")
        page.wait_for_function("Reveal.getIndices().h === 1")
        assert page.troubles == []


def test_a_picture_gets_the_room_of_its_slide(tmp_path, browser):
    """A small one grows by 1.6, a wide one to the margin, a tall one shrinks to stay inside."""
    notebook = sample_notebook()
    for size in ((2, 1), (9, 1), (4, 12)):
        notebook.cells.append(slide("slide", f"## {size}\n\n<details>\n\nFolded.\n\n</details>"))
        alt = {"image/png": {"alt": "A picture of that size in inches."}}
        notebook.cells.append(cell_with_picture(alt, size))
    nbformat.write(notebook, tmp_path / "90_pictures.ipynb")
    build(tmp_path, tmp_path / "build")
    with open_page(browser) as page:
        load(page, tmp_path / "build" / "slides" / "90_pictures.html")
        assert page.locator("details[open]").count() == 0
        assert overflowing_slides(page) == []  # it unfolds them
        widths = page.evaluate("""[...document.images].map((image) => {
            const slide = image.closest('section');
            const {h, v} = Reveal.getIndices(slide);
            Reveal.slide(h, v);
            const {right, bottom} = image.getBoundingClientRect();
            return [image.offsetWidth / image.naturalWidth, right, bottom];
        })""")
    (small, *_), (wide, right, _), (tall, _, bottom) = widths
    assert small == pytest.approx(1.6, abs=0.01)
    assert wide > 1
    assert right == pytest.approx(1220, abs=2)
    assert tall < 1
    assert 680 < bottom <= 700


def test_what_slides_leave_out_and_keep(samples, browser):
    _, target = samples
    slides = (target / "slides" / "90_sound.html").read_text(encoding="utf-8")
    assert "hidden_on_slides" not in slides
    assert "plot()" not in re.sub("<[^>]+>", "", slides)  # the code of a figure
    with open_page(browser) as page:
        load(page, target / "slides" / "90_sound.html")
        assert page.evaluate("document.images[0].alt") == 'A "small" empty pair of axes.'


def test_printing_without_chromium_is_one_line(monkeypatch, samples, tmp_path):
    monkeypatch.setenv("COURSE_CHROMIUM", "no-such-chromium")
    with pytest.raises(PrintError, match=r"^no Chromium found: .*COURSE_CHROMIUM$"):
        print_slides.print_slides(samples[1] / "slides", tmp_path / "pdf")
    with pytest.raises(PrintError, match="make site"):
        print_slides.print_slides(tmp_path, tmp_path / "pdf")
    assert list(tmp_path.iterdir()) == []
