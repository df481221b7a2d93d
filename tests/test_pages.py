"""Pages as readers get them: in Chromium, from files, with the network cut off.

The checks are plain functions from a page to a list of complaints, so that the last tests can show
them damaged pages and see them complain.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import matplotlib.pyplot as plt
import nbformat
import pytest
from browser import (
    PLACEHOLDER,
    axe_violations,
    images_without_alt,
    open_browser,
    open_page,
    requests_outside,
    require_chromium,
    short_brackets,
    too_big,
    unrendered_formulas,
)
from IPython.core.pylabtools import print_figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import build_pages
from tools.build_pages import BuildError, build

require_chromium()

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LECTURES = sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


# ---- checks: from a page to a list of complaints ----


def cut_code(page):
    """Code and printed lines that are wider or taller than their box: behind a scroll bar."""
    return page.evaluate("""() => [...document.querySelectorAll('pre')]
        .filter((box) => box.scrollWidth > box.clientWidth + 1
                      || box.scrollHeight > box.clientHeight + 1)
        .map((box) => `cut: ${box.textContent.trim().slice(0, 60)}`)""")


def dead_links(page):
    """Links to files that do not exist, and to notebooks, which a browser does not show."""
    links = page.evaluate("[...document.links].map((link) => link.href.split('#')[0])")
    files = [link for link in links if link.startswith("file:")]
    return [
        f"dead link: {link}"
        for link in files
        if link.endswith(".ipynb") or not Path(url2pathname(urlsplit(link).path)).exists()
    ]


def too_wide(page):
    """Say so where the page as a whole has to be pushed sideways to be read."""
    width = page.evaluate("document.documentElement.scrollWidth")
    room = page.viewport_size["width"]
    return [f"the page is {width} px wide on a screen of {room}"] if width > room else []


# ---- the course ----


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Pages and slides of the course, built from the stored outputs."""
    return build(NOTEBOOKS, tmp_path_factory.mktemp("course")).parent


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


def load(page, file):
    """Open `file` and wait until its formulas and slides stand."""
    page.goto(file.as_uri())
    page.wait_for_function("document.documentElement.dataset.ready")


def report(complaints):
    assert not complaints, "\n".join(["", *complaints])


@pytest.mark.parametrize("stem", LECTURES)
def test_page(built, browser, stem):
    file = built / "pages" / f"{stem}.html"
    with open_page(browser) as page:
        load(page, file)
        complaints = [
            *unrendered_formulas(page),
            *short_brackets(page),
            *cut_code(page),
            *images_without_alt(page),
            *dead_links(page),
            *too_big(file, 4),
        ]
        if "Speaker's note" in page.inner_text("body"):
            complaints.append("a speaker's note is on the page")
        page.set_viewport_size({"width": 390, "height": 844})  # a phone, where more has to scroll
        page.reload()
        page.wait_for_function("document.documentElement.dataset.ready")
        complaints += [*too_wide(page), *axe_violations(page), *page.troubles]
    report(complaints)


def test_index_leads_to_everything(built, browser):
    with open_page(browser, width=390) as page:
        page.goto((built / "index.html").as_uri())
        complaints = [*dead_links(page), *too_wide(page), *axe_violations(page)]
        links = page.evaluate("[...document.links].map((link) => link.getAttribute('href'))")
        complaints += page.troubles
    report(complaints)
    files = {path.relative_to(built).as_posix() for path in built.glob("*/*.html")}
    assert set(links) - {"#content"} == files
    exercises = {path.name[:2] for path in (NOTEBOOKS / "exercises").glob("[0-9][0-9]_*.ipynb")}
    assert {Path(file).name[:2] for file in files if "exercises" in file} == exercises


def test_exercise_pages(built, browser):
    complaints = []
    for file in (built / "exercises").glob("*.html"):
        with open_page(browser, width=390) as page:
            load(page, file)
            complaints += [
                *unrendered_formulas(page),
                *dead_links(page),
                *too_wide(page),
                *axe_violations(page),
                *page.troubles,
            ]
    report(complaints)


def test_previous_and_next(built, browser):
    """Following "next" from the first lecture visits all of them, and "previous" leads back."""
    with open_page(browser) as page:
        load(page, built / "pages" / f"{LECTURES[0]}.html")
        visited = [Path(urlsplit(page.url).path).stem]
        while page.locator("a[rel=next]").count():
            before = page.url
            page.click("a[rel=next]")
            page.wait_for_function("document.documentElement.dataset.ready")
            visited.append(Path(urlsplit(page.url).path).stem)
            assert page.locator("a[rel=prev]").evaluate("(link) => link.href") == before
    assert visited == LECTURES


# ---- a small notebook: what the course need not hold ----


def sample_notebook(*cells):
    """A notebook with one slide to which `cells` add what is wrong with it."""
    heading = slide(
        "slide",
        "# 90 · Sample\n\nSee [the other](91_other.ipynb), [none](99_none.ipynb).\n\n"
        "A formula ($x$).\n\n$$\\begin{pmatrix} 1 \\\\ 2 \\\\ 3 \\\\ 4 \\end{pmatrix}, x < 1$$",
    )
    notebook = new_notebook(cells=[heading, *cells])
    notebook.metadata.course = {"question": "Does it work?", "minutes": 5}
    return notebook


def cell_with_picture(metadata, size=(2, 1)):
    figure, _ = plt.subplots(figsize=size)
    png = print_figure(figure, base64=True)
    plt.close(figure)
    output = new_output("display_data", {"image/png": png}, metadata=metadata)
    return new_code_cell("plot()", outputs=[output], execution_count=1)


def slide(kind, source):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


DAMAGES = {
    "90_sound": [
        slide("notes", "Ask what $x$ is."),
        slide("fragment", "It is one.\n\n<details><summary>Why?</summary>\n\n*So*.\n\n</details>"),
        slide("slide", "## A second slide"),
        new_code_cell("hidden_on_slides()", metadata={"tags": ["hide-input"]}),
        new_code_cell("# Parameters\nseed = 3", metadata={"tags": ["injected-parameters"]}),
        cell_with_picture({"image/png": {"alt": 'A "small" empty pair of axes.'}}),
    ],
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


def complaints_about(browser, file, *checks):
    with open_page(browser) as page:
        load(page, file)
        return [complaint for check in checks for complaint in check(page)]


def test_a_sound_sample_passes_every_check(samples, browser):
    _, target = samples
    shared = [unrendered_formulas, short_brackets, cut_code, images_without_alt, requests_outside]
    page = target / "pages" / "90_sound.html"
    complaints = complaints_about(browser, page, *shared, too_wide, dead_links, axe_violations)
    assert complaints == []


@pytest.mark.parametrize(
    ("stem", "check", "complaint"),
    [
        ("92_wide", cut_code, r"cut: x = 1 \+ 1"),
        ("93_formula", unrendered_formulas, "formula not drawn: .*undefinedmacro"),
        ("93_formula", unrendered_formulas, r"raw TeX: .*\$\$"),
        ("94_outside", requests_outside, "asks the outside: https://cdn.example/x.png"),
        ("95_no_alt", images_without_alt, PLACEHOLDER),
    ],
)
def test_damage_is_seen(samples, browser, stem, check, complaint):
    _, target = samples
    complaints = complaints_about(browser, target / "pages" / f"{stem}.html", check)
    assert re.search(complaint, "\n".join(complaints))


def test_pale_text_is_seen(samples, browser):
    _, target = samples
    file = target / "pages" / "96_contrast.html"
    (complaint,) = complaints_about(browser, file, axe_violations)
    assert complaint.startswith("axe color-contrast")


def test_a_bracket_that_does_not_grow_is_seen(samples, browser):
    _, target = samples
    with open_page(browser) as page:
        load(page, target / "pages" / "90_sound.html")
        assert short_brackets(page) == []
        page.evaluate("""document.querySelectorAll('[data-mml-node=mtable] ~ [data-mml-node=mo] *')
                      .forEach((part, index) => { if (index) part.remove(); })""")
        assert short_brackets(page)


def test_a_formula_keeps_its_punctuation(samples, browser):
    _, target = samples
    with open_page(browser) as page:
        load(page, target / "pages" / "90_sound.html")
        kept = page.locator("span[style*=nowrap]:has(> mjx-container)")
        assert kept.evaluate("(span) => [span.firstChild.data, span.lastChild.data]") == ["(", ")."]


def test_answers_unfold(samples, browser):
    _, target = samples
    with open_page(browser) as page:
        load(page, target / "pages" / "90_sound.html")
        assert not page.locator("details em").is_visible()
        page.click("summary")
        assert page.locator("details em").is_visible()


def test_links_between_notebooks_lead_to_pages(samples, browser):
    _, target = samples
    text = (target / "pages" / "90_sound.html").read_text(encoding="utf-8")
    assert "[none]" not in text
    assert ".ipynb" not in text.split("<main")[1].split("</main>")[0]


def test_what_pages_leave_out_and_keep(samples, browser):
    _, target = samples
    file = target / "pages" / "90_sound.html"
    text = file.read_text(encoding="utf-8")
    assert "hidden_on_slides" in text
    assert "plot()" in re.sub("<[^>]+>", "", text)
    assert "# Parameters" not in text
    with open_page(browser) as page:
        load(page, file)
        assert page.evaluate("document.images[0].alt") == 'A "small" empty pair of axes.'


def test_building_again_gives_the_same_bytes_and_leaves_nothing_stale(samples):
    source, target = samples
    before = {path: path.read_bytes() for path in target.rglob("*.html")}
    (target / "pages" / "98_gone.html").touch()
    build(source, target)
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


def test_no_notebooks_is_one_line(tmp_path):
    with pytest.raises(BuildError, match=r"^no lecture notebooks .*make run.*$"):
        build(tmp_path, tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "90_damaged.ipynb").write_text("not json", encoding="utf-8")
    with pytest.raises(BuildError, match=r"90_damaged.ipynb is not a notebook"):
        build(tmp_path, tmp_path / "build")


def test_a_notebook_without_slides_is_named(tmp_path):
    nbformat.write(new_notebook(cells=[slide("skip", "# 90")]), tmp_path / "90_skipped.ipynb")
    with pytest.raises(BuildError, match=r"90_skipped.ipynb has no cell that is shown"):
        build(tmp_path, tmp_path / "build")


@pytest.mark.parametrize("distribution", ["sphinx-revealjs", "no-such-distribution"])
def test_a_missing_package_file_is_named(monkeypatch, samples, tmp_path, distribution):
    missing = (distribution, "sphinx_revealjs", "dist/gone.js")
    monkeypatch.setitem(build_pages.PACKAGE_FILES, "gone", missing)
    with pytest.raises(BuildError, match=rf"^the package {distribution} has no file .*gone.js \("):
        build(samples[0], tmp_path)
    assert list(tmp_path.iterdir()) == []
