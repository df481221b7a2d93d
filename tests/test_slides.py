"""Slides as they are presented: in Chromium at 1280 x 720, from files, with the network cut off.

Every lecture's deck is measured and held to the numbers in tools/slides/measure.py. The last tests
show damaged decks and see the measurements complain.
"""

import re
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from browser import (
    axe_violations,
    images_without_alt,
    open_browser,
    open_page,
    require_chromium,
    short_brackets,
    too_big,
    unrendered_formulas,
)
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from pypdf import PdfReader

from lecture_utils import plotting
from tools import packages, print_slides
from tools.cells import slide_type
from tools.packages import BuildError
from tools.print_slides import PrintError, print_deck, print_notes
from tools.slides import render_deck
from tools.slides.__main__ import Lecture, lecture_of
from tools.slides.measure import collisions, complaints_about, measure

require_chromium()

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LECTURES = sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """Builds a lecture's deck once: a function from its stem to the file."""
    folder = tmp_path_factory.mktemp("decks")

    def deck(stem):
        file = folder / f"{stem}.html"
        if not file.exists():
            notebook = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
            lecture = lecture_of(NOTEBOOKS / f"{stem}.ipynb", notebook)
            file.write_text(render_deck(notebook, lecture), encoding="utf-8")
        return file

    return deck


def load(page, file):
    """Open `file` and wait until its formulas and slides stand."""
    page.goto(file.as_uri())
    page.wait_for_function("document.documentElement.dataset.ready")


def load_for_print(page, file):
    """Open slides as they are printed: all are to be seen at once, which axe needs."""
    page.goto(f"{file.as_uri()}?print-pdf")
    page.wait_for_function("document.documentElement.dataset.printReady")


def report(complaints):
    assert not complaints, "\n".join(["", *complaints])


# ---- the course ----


@pytest.mark.parametrize("stem", LECTURES)
def test_numbers(decks, browser, stem):
    minutes = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).metadata.course.minutes
    with open_page(browser) as page:
        load(page, decks(stem))
        report(complaints_about(measure(page), minutes))


@pytest.mark.parametrize("stem", LECTURES)
def test_deck(decks, browser, stem, tmp_path):
    """Everything is there, can be read, and can be printed; nothing comes from outside."""
    file = decks(stem)
    with open_page(browser) as page:
        load(page, file)
        n_slides = page.evaluate("Reveal.getTotalSlides()")
        n_notes = page.locator("aside.notes").count()
        complaints = [
            *images_without_alt(page),
            *unrendered_formulas(page),
            *short_brackets(page),
            *too_big(file, 6),
            *collisions(measure(page)),
        ]
        load_for_print(page, file)
        complaints += [*axe_violations(page), *page.troubles]
    kinds = list(map(slide_type, nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells))
    if n_slides != kinds.count("slide") + kinds.count("subslide"):
        complaints.append(f"{n_slides} slides, the notebook has another number of them")
    if n_notes != kinds.count("notes"):
        complaints.append(f"{n_notes} notes, the notebook has {kinds.count('notes')}")
    print_deck(browser, file, tmp_path / "slides.pdf")
    n_pages = len(PdfReader(tmp_path / "slides.pdf").pages)
    if n_pages != n_slides:
        complaints.append(f"{n_pages} printed pages for {n_slides} slides")
    report(complaints)


# ---- a small lecture that has every layout ----

LECTURE = Lecture("90_sample", "A sample", "Does it work?", 15)


def words(kind, source, **course):
    metadata = {"slideshow": {"slide_type": kind}} | ({"course": course} if course else {})
    return new_markdown_cell(source, metadata=metadata)


def note(text):
    source = f"<details><summary>Speaker's note</summary>\n\n{text}\n\n</details>"
    return words("notes", source)


def slide_only(text):
    cell = words("-", f"<details><summary>On the slide</summary>\n\n{text}\n\n</details>")
    cell.metadata.tags = ["slide-only"]
    return cell


def code(role, source, *outputs, kind="-", **course):
    metadata = {"tags": [role], "slideshow": {"slide_type": kind}, "course": course}
    return new_code_cell(source, metadata=metadata, outputs=list(outputs))


def picture(width, height, alt="A grey rectangle without anything in it.", type_share=0.04):
    file = BytesIO()
    Image.new("L", (width, height), 128).save(file, "png")
    data = {"image/png": b64encode(file.getvalue()).decode()}
    metadata = {"image/png": {"alt": alt, "type_share": type_share}}
    return code("figure", "plot()", new_output("display_data", data, metadata=metadata))


def html(source):
    return new_output("display_data", {"text/html": source})


def printed(text):
    return new_output("stream", name="stdout", text=text)


TABLE = (
    '<table class="course"><thead><tr><td></td><th scope="col">error (nats)</th></tr></thead>'
    '<tbody><tr><th scope="row">ours</th><td class="number best"><strong>0.5</strong></td></tr>'
    "</tbody></table>"
)
VALUES = (
    '<div class="values"><div class="value"><span class="what">the extra</span> <b>0.29</b> '
    '<span class="unit">nats</span></div></div>'
)
EXPLORER = (
    '<div class="an-explorer"><iframe title="Play" srcdoc="<body style=\'font:22px sans-serif\'>'
    "<button style='font:inherit'>Move</button><script>document.onkeydown = e =&gt; "
    "parent.postMessage({courseKey: e.key}, '*')</script>\"></iframe>"
    "<figure>a stand-in</figure></div>"
)
QUESTION = (
    "## Which one?\n\n**Predict.** It is\n\n1. one\n2. two $x$\n3. three\n\n"
    '<details data-right="2"><summary>Answer</summary>\n\n**Two.** *Because*.\n\n</details>'
)
TEN_LINES = "\n".join(f"line_{number} = {number}" for number in range(1, 11))


def sound():
    """Cells of a deck that has every layout and is as it should be."""
    return [
        words("slide", "# 90 · A sample\n\n**Does it work?**\n\n1. long;\n2. longer.", minute=0),
        slide_only("You will be able to see it."),
        picture(400, 300),
        note("Say hello."),
        words("slide", "## A picture beside words", minute=1),
        words("skip", "What the page says at more length."),
        slide_only("A few words, and $x$.\n\nSee [another](91_other.ipynb)."),
        picture(400, 300),
        code("setup", "hidden_setup = 1"),
        note("Point at $x$."),
        words("slide", QUESTION, minute=2),
        picture(400, 300),
        note("Let them vote."),
        words("slide", "## Code and its result", minute=4),
        code("lesson", "def f(x):\n    return x", key="return x"),
        code("figure", "values()", html(VALUES)),
        note("Read it aloud."),
        words("slide", "## A formula\n\n$$x < y$$\n\n**One.** It is.\n\n**Two.** It is.", minute=6),
        note("Draw it."),
        words("slide", "## A table and a picture", minute=7),
        code("figure", "table()", html(TABLE)),
        picture(400, 300),
        note("Look at the bold one."),
        words("slide", "## A flat picture\n\nA line above it.", minute=8),
        picture(900, 300),
        code("check", "confirm()", printed("✓ It holds  (in 5 cases)\n✓ It holds again\n")),
        note("Follow the line."),
        words("slide", "## Play with it\n\nFind out.", minute=9),
        code("figure", "explorer()", html(EXPLORER)),
        note("Move it."),
        words("slide", "## What to remember\n\n* One.\n* Two.\n* Three.", minute=10),
        note("Ask."),
    ]


def render(cells, lecture=LECTURE):
    return render_deck(new_notebook(cells=cells), lecture)


def write(folder, cells):
    file = folder / "deck.html"
    file.write_text(render(cells), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write(tmp_path_factory.mktemp("sample"), sound())


def measured(browser, file, minutes=15):
    with open_page(browser) as page:
        load(page, file)
        return measure(page), page.troubles


def test_a_sound_deck_passes_every_check(sample, browser):
    with open_page(browser) as page:
        load(page, sample)
        screens = measure(page)
        found = complaints_about(screens, 15) + images_without_alt(page) + unrendered_formulas(page)
        load_for_print(page, sample)
        found += axe_violations(page) + page.troubles
    report(found)
    layouts = [screen["layout"] for screen in screens]
    expected = [
        "title",
        "split",
        "ask",
        "ask",
        "code",
        "define",
        "split",
        "wide",
        "wide",
        "remember",
    ]
    assert layouts == expected


def test_what_a_deck_shows(sample):
    text = sample.read_text(encoding="utf-8").split("<main")[1].split("</main>")[0]
    plain = re.sub("<[^>]+>", "", re.sub(r'src="data:[^"]*"', "", text))
    for shown in ("A few words", "return x", "0.29", "It holds", "in 5 cases", "You will be able"):
        assert shown in plain
    for hidden in ("at more length", "plot()", "hidden_setup", "confirm()", "longer.", "Predict"):
        assert hidden not in plain
    assert "Speaker's note" not in plain
    assert ".ipynb" not in text
    assert text.count('<aside class="notes">') == 9
    assert text.count("row key") == 1


def test_the_answer_comes_with_the_next_step(sample, browser):
    with open_page(browser) as page:
        load(page, sample)
        page.evaluate("Reveal.slide(2)")
        read_aloud = page.locator(".aria-status")
        assert "one" in read_aloud.inner_text()
        assert "Because" not in read_aloud.inner_text()
        answer, right = page.locator(".present .answer"), page.locator(".present .right")
        before = right.evaluate("(item) => getComputedStyle(item).borderColor")
        assert not answer.is_visible()
        page.keyboard.press("PageDown")
        answer.wait_for(state="visible")
        assert "Because" in read_aloud.inner_text()
        assert right.inner_text().startswith("two")
        assert right.evaluate("(item) => getComputedStyle(item).borderColor") != before
        page.keyboard.press("PageDown")
        page.wait_for_function("Reveal.getIndices().h === 3")
        load_for_print(page, sample)
        assert page.locator(".answer em").is_visible()


def test_an_answer_that_the_next_slide_shows_stays_off_the_slides():
    asked = QUESTION.replace('"2"', '"2" data-answer="next slide"')
    deck = render([*sound()[:1], words("slide", asked, minute=2)])
    answer = "<em>Because</em>"
    assert answer in render(sound())
    assert answer not in deck
    assert "<span>three</span>" in deck


def test_the_clicker_works_while_an_explorer_has_the_focus(sample, browser):
    with open_page(browser) as page:
        load(page, sample)
        page.evaluate("Reveal.slide(7)")
        page.frame_locator(".present iframe").locator("button").press("PageDown")
        page.wait_for_function("Reveal.getIndices().h === 8")
        # A message that does not come from a frame of the deck moves nothing.
        page.evaluate("window.postMessage({courseKey: 'PageUp'}, '*')")
        page.wait_for_timeout(100)
        assert page.evaluate("Reveal.getIndices().h") == 8


def test_the_notes_window(sample, browser):
    """It shows the note once, and turning the page in it turns the slides."""
    with open_page(browser) as page:
        load(page, sample)
        page.keyboard.press("PageDown")
        with page.expect_popup() as popup:
            page.keyboard.press("s")
        window, text = popup.value, ".speaker-controls-notes .value"
        window.wait_for_function("text => document.querySelector(text).innerText", arg=text)
        assert window.inner_text(text).split() == ["Point", "at", "."]
        assert window.locator(f"{text} svg").count() == 1
        window.keyboard.press("PageDown")
        page.wait_for_function("Reveal.getIndices().h === 2")
        assert page.troubles == []


def test_a_picture_fills_its_room(tmp_path, browser):
    """Beside words it takes up to 62 % of the width, alone all of it, a tall one all the height."""
    cells = [words("slide", "# 90 · A sample"), picture(900, 300)]
    for size in ((120, 90), (900, 300), (100, 300)):
        beside = "Words." if size == (120, 90) else ""
        cells += [words("slide", f"## {size}\n\n{beside}"), picture(*size)]
    with open_page(browser) as page:
        load(page, write(tmp_path, cells))
        screens = measure(page)
        sizes = page.evaluate("""[...document.images].map((image) => {
            Reveal.slide(Reveal.getSlides().indexOf(image.closest('section')));
            const {width, height} = image.getBoundingClientRect();
            return [width, height];
        })""")
    assert collisions(screens) == []
    assert sizes[1] == pytest.approx((720, 540), abs=8)  # wider would pass the minutes
    assert sizes[2] == pytest.approx((1168, 389), abs=2)
    assert sizes[3] == pytest.approx((181, 543), abs=4)


def test_a_picture_says_how_small_its_type_is(monkeypatch):
    shown = {}
    monkeypatch.setattr(plotting, "display", lambda data, raw, metadata: shown.update(metadata))
    figure = plt.figure(figsize=(4, 2), dpi=100)
    figure.add_artist(plt.Rectangle((0, 0), 1, 1))  # as wide as the figure
    figure.text(0.5, 0.5, "large", fontsize=12)
    figure.text(0.5, 0.2, "small", fontsize=9)
    plotting.show(figure, "Two words.")
    share = shown["image/png"]["type_share"]
    assert share * 4.2 * 72 == pytest.approx(9, rel=0.01)  # "tight" adds 0.1 inches at each side


@pytest.mark.parametrize(("dpi", "width"), [(50, 420), (100, 420), (110, 462)])
def test_a_picture_stored_with_few_pixels_is_shown_as_large(monkeypatch, dpi, width):
    shown = {}
    monkeypatch.setattr(plotting, "display", lambda data, raw, metadata: shown.update(metadata))
    figure = plt.figure(figsize=(4, 2), dpi=dpi)
    figure.add_artist(plt.Rectangle((0, 0), 1, 1))
    plotting.show(figure, "Two words.")
    assert shown["image/png"]["width"] == pytest.approx(width, abs=4)


def test_a_slide_that_is_too_full_shrinks(tmp_path, browser):
    """An old deck's slide, with long lines of code and much printed text, is still all there."""
    cells = [
        words("slide", "# 90 · A sample"),
        words("subslide", "Many words. " * 30),
        code("lesson", "\n".join([f"x = {'1 + ' * 22}1"] * 8), printed("many numbers\n" * 5)),
        code("lesson", "more = 1", printed("✓ it holds\n"), kind="fragment"),
    ]
    screens, _ = measured(browser, write(tmp_path, cells))
    assert collisions(screens) == []
    assert screens[-1]["code_lines"] == 9
    assert screens[-1]["title"] == "A sample …"


# ---- damaged decks ----


def replaced(index, *cells, n=1):
    """The cells of the sound deck with `n` of them, from `index` on, replaced by `cells`."""
    all_cells = sound()
    return all_cells[:index] + list(cells) + all_cells[index + n :]


def at(start):
    """Where the sound deck has the cell whose source starts so."""
    return next(n for n, cell in enumerate(sound()) if cell.source.startswith(start))


LINE = "One line that says something which is not needed here at all. "
DAMAGES = {
    "too many screens": (
        [*sound(), *(words("slide", f"## {n}", minute=11 + n) for n in range(3))],
        "13 screens for 15 minutes, at most 10",
    ),
    "small words": (
        replaced(at("## A formula"), words("slide", f"## A slide\n\n{LINE * 60}", minute=6)),
        r"slide 5 .*: type of 1\d.* px, at least 20",
    ),
    "small code": (
        replaced(at("def f"), code("lesson", f"x = {'1 + ' * 30}1")),
        r"slide 4 .*: code of 1\d.* px, at least 22",
    ),
    "small type in a picture": (
        replaced(at("plot"), picture(400, 300, type_share=0.02)),
        r"slide 1 .*: type in a picture of 1\d.* px, at least 20",
    ),
    "small type in an explorer": (
        replaced(at("explorer"), code("figure", "", html(EXPLORER.replace("22px", "12px")))),
        r"slide 8 .*: type in an explorer of 1\d.* px, at least 20",
    ),
    "long code": (
        replaced(at("def f"), code("lesson", f"{TEN_LINES}\nline_11 = 11")),
        r"slide 4 .*: 11 lines of code, at most 10",
    ),
    "code everywhere": (
        [cell if cell.cell_type == "markdown" else code("lesson", "x = 1") for cell in sound()],
        r"code on \d\d% of the screens, at most 30%",
    ),
    "many words": (
        [
            slide_only(LINE * 3)
            if "A few words" in cell.source
            else words("slide", f"{cell.source}\n\n{LINE * 3}", **cell.metadata.get("course", {}))
            if slide_type(cell) == "slide"
            else cell
            for cell in sound()
        ],
        r"a median of \d\d words a screen, at most 28",
    ),
    "few pictures": (
        [cell for cell in sound() if cell.cell_type == "markdown"],
        r"something to look at on 0% of the screens, at least 60%",
    ),
    "a picture below its words": (
        replaced(at("## A picture beside"), words("slide", "## A", minute=1, layout="plain")),
        r"slide 2 \(A\): a picture stands above or below the words",
    ),
    "an empty half": (
        replaced(at("## A formula"), words("slide", "## A slide\n\nOne.", minute=6)),
        r"slide 5 .*: ends at [45]\d% of the height",
    ),
    "no title": (
        replaced(at("## A formula"), words("slide", "$$x$$", minute=6)),
        r"slide 5 .*: has no title of its own",
    ),
    "no note": (
        replaced(at("## A formula") + 1),
        r"slide 5 .*: has no note of its own",
    ),
    "the same note twice": (
        replaced(at("## A formula") + 1, note("Read it aloud.")),
        r"slide 5 .*: has no note of its own",
    ),
    "no minute": (
        replaced(at("## A formula"), words("slide", "## A slide\n\n$$x$$")),
        r"slide 5 .*: does not say by which minute",
    ),
    "minutes out of order": (
        replaced(at("## A formula"), words("slide", "## A slide\n\n$$x$$", minute=3)),
        r"slide 5 .*: minute 3 comes after 4",
    ),
    "a question that is not alone": (
        replaced(at("## Which"), words("slide", QUESTION, minute=2), code("lesson", "x = 1")),
        r"slide 3 .*: the question is not alone on its screen",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_seen(tmp_path, browser, name):
    cells, complaint = DAMAGES[name]
    screens, _ = measured(browser, write(tmp_path, cells))
    found = "\n".join(complaints_about(screens, 15))
    assert re.search(complaint, found), found


@pytest.mark.parametrize(
    ("style", "complaint"),
    [
        (".split .column p { margin-left: 700px }", "passes the right edge|overlap"),
        (".define .columns { transform: translateY(-200px) }", "slide 5 .* overlap"),
        (".remember li { padding-top: 200px }", "runs into the minutes"),
        (".column { margin-top: -60px }", "runs into the title"),
        (".options li.right { color: green }", "the right option is marked too early"),
        (".options * { all: initial !important }", "the right option is not marked"),
        (
            ".fragment { opacity: 1 !important; visibility: visible !important }",
            "the answer stands there at once",
        ),
        ("pre.code { width: 150px !important }", "is cut|passes|overlap"),
    ],
)
def test_a_damaged_style_is_seen(sample, browser, style, complaint):
    with open_page(browser) as page:
        load(page, sample)
        page.add_style_tag(content=style)
        found = "\n".join(complaints_about(measure(page), 15))
    assert re.search(complaint, found), found


def test_what_comes_from_outside_is_seen(tmp_path, browser):
    cells = replaced(
        at("## A formula"), words("slide", '## A\n\n<img src="https://cdn.example/x">')
    )
    _, troubles = measured(browser, write(tmp_path, cells))
    assert "asks the outside: https://cdn.example/x" in troubles


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([words("skip", "# 90")], "no cell that is shown on a slide"),
        ([words("slide", "# 90", layout="upside down")], "layout 'upside down'; there are: title"),
        ([words("slide", "# 90"), code("lesson", "x = 1", key="y")], "'y' is 0 times in its cell"),
        ([words("slide", "# 90"), code("lesson", "x = 1", key="x … y")], "'y' is 0 times"),
        ([words("slide", QUESTION.replace('"2"', '"4"'))], "data-right=4, .* 3 options"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_line(cells, complaint):
    with pytest.raises(BuildError, match=complaint):
        render(cells)


@pytest.mark.parametrize("distribution", ["sphinx-revealjs", "no-such-distribution"])
def test_a_missing_package_file_is_named(monkeypatch, distribution):
    missing = (distribution, "sphinx_revealjs", "dist/gone.js")
    monkeypatch.setitem(packages.PACKAGE_FILES, "gone", missing)
    with pytest.raises(BuildError, match=rf"^the package {distribution} has no file .*gone.js \("):
        packages.package_file("gone")


def test_building_again_gives_the_same_bytes(sample):
    assert render(sound()) == sample.read_text(encoding="utf-8")


def test_notes_are_printed_beside_their_slides(browser, tmp_path):
    cells = [
        words("slide", "# 90"),
        note("Say <b>hello</b>."),
        words("slide", "## B"),
        note("Ask."),
    ]
    print_notes(browser, write(tmp_path, cells), tmp_path / "notes.pdf")
    pages = PdfReader(tmp_path / "notes.pdf").pages
    text = "\n".join(page.extract_text() for page in pages)
    assert re.search(r"\(notes\)[\s\S]*Say hello\.[\s\S]*Ask\.", text), text
    assert sum(len(page.images) for page in pages) == 2


def test_printing_without_chromium_is_one_line(monkeypatch, sample, tmp_path):
    monkeypatch.setenv("COURSE_CHROMIUM", "no-such-chromium")
    with pytest.raises(PrintError, match=r"^no Chromium found: .*COURSE_CHROMIUM$"):
        print_slides.print_slides(sample.parent, tmp_path / "pdf")
    with pytest.raises(PrintError, match="make site"):
        print_slides.print_slides(tmp_path, tmp_path / "pdf")
    assert list(tmp_path.iterdir()) == []
