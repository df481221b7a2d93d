"""The website as readers get it: in Chromium, from files, with the network cut off."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from browser import open_page, require_chromium
from complaints import (
    axe_violations,
    cut_code,
    dead_anchors,
    dead_links,
    images_without_alt,
    load,
    out_of_reach,
    report,
    requests_outside,
    short_brackets,
    too_big,
    too_wide,
    unrendered_formulas,
)
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from samples import cell_with_picture, sample_notebook, slide

from tools import build_site, packages, pages
from tools.build_site import BuildError, build

require_chromium()

NOTEBOOKS = ROOT / "notebooks"
LECTURES = sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
EXERCISES = sorted(path.stem for path in (NOTEBOOKS / "exercises").glob("[0-9][0-9]_*.ipynb"))
PAGES = ["index", "summary", "glossary", *(f"pages/{stem}" for stem in LECTURES)]
PAGES += [f"exercises/{stem}" for stem in EXERCISES]
MODES = ("light", "dark")


def unfold(page):
    """Open what is folded, and wait until it has faded in: contrasts need what stands."""
    page.evaluate("""async () => {
        document.querySelectorAll('details').forEach((details) => { details.open = true; });
        await Promise.all(document.getAnimations().map((animation) => animation.finished));
    }""")


@pytest.mark.parametrize("name", PAGES)
def test_page(site, browser, name):
    file = site / f"{name}.html"
    with open_page(browser) as page:
        load(page, file)
        unfold(page)
        complaints = [
            *unrendered_formulas(page),
            *short_brackets(page),
            *cut_code(page),
            *images_without_alt(page),
            *dead_links(page),
            *dead_anchors(page),
            *too_big(file, 1),
        ]
        if "Speaker's note" in page.inner_text("body"):
            complaints.append("a speaker's note is on the page")
        complaints += page.troubles
    with open_page(browser, width=390, height=844) as page:  # a phone, where more has to scroll
        for mode in MODES:
            page.emulate_media(color_scheme=mode)
            load(page, file)
            assert page.evaluate("document.documentElement.dataset.theme") == mode
            unfold(page)
            page.evaluate("markWide()")
            rules = {} if mode == "light" else {"runOnly": ["color-contrast"]}
            complaints += [f"{mode}: {found}" for found in axe_violations(page, **rules)]
        complaints += [*too_wide(page), *out_of_reach(page), *page.troubles]
    report(complaints)


def test_index_leads_to_everything(site, browser):
    with open_page(browser) as page:
        load(page, site / "index.html")
        links = set(
            page.evaluate("""[...document.querySelectorAll('article a')]
            .map((link) => link.getAttribute('href').split('#')[0])""")
        )
        assert page.locator(".lecture img").count() >= len(LECTURES) - 1
        assert "Part 2" in page.inner_text("article")
    folders = ("pages", "slides", "exercises")
    files = {f"{folder}/{path.name}" for folder in folders for path in (site / folder).iterdir()}
    assert links - {""} == files | {"summary.html", "glossary.html"}
    assert {name.split("/")[1][:2] for name in files if "exercises" in name} == {
        stem[:2] for stem in EXERCISES
    }


def test_wide_screens_hold_both_sidebars(site, browser):
    with open_page(browser) as page:
        load(page, site / "pages" / "01_kl_divergence.html")
        assert "Part 2: autoencoders" in page.inner_text(".bd-sidebar-primary")
        contents = page.locator(".bd-sidebar-secondary a", has_text="What to remember")
        assert contents.is_visible()


def test_previous_and_next(site, browser):
    """Following "next" visits each lecture and then its exercises, and "previous" leads back."""
    expected = ["00_start_here"]
    expected += [stem for stem in EXERCISES for _ in ("lecture", "exercises")]
    with open_page(browser) as page:
        load(page, site / "pages" / f"{LECTURES[0]}.html")
        visited = [Path(urlsplit(page.url).path).stem]
        while visited[-1] != "summary":
            before = page.url
            page.click("a.right-next")
            page.wait_for_function("document.documentElement.dataset.ready")
            visited.append(Path(urlsplit(page.url).path).stem)
            assert page.locator("a.left-prev").evaluate("(link) => link.href") == before
    assert visited == [*expected, "summary"]


def test_search_works_from_a_disk(site, browser):
    with open_page(browser) as page:
        page.goto(f"{(site / 'search.html').as_uri()}?q=posterior+collapse")
        page.wait_for_selector("#search-results li a")
        found = page.evaluate(
            "[...document.querySelectorAll('#search-results a')].map((e) => e.href)"
        )
        assert any("14_variational_autoencoder.html" in link for link in found)
        assert page.troubles == []


def test_a_switch_chooses_the_dark_mode(site, browser):
    """The ground turns dark, but not under a picture, and the choice is kept."""
    with open_page(browser) as page:
        page.emulate_media(color_scheme="light")
        load(page, site / "pages" / "00_start_here.html")
        page.click(".theme-switch-button")
        page.click(".theme-change-button[data-mode=dark]")
        load(page, site / "pages" / "01_kl_divergence.html")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        look = "(e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).filter]"
        picture = page.locator("article img").first.evaluate(look)
        assert picture == ["rgb(255, 255, 255)", "none"]
        red = page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.slice(4))")
        assert red < 60


def test_every_explorer_is_alive(site, browser):
    files = [path for path in (site / "pages").iterdir() if "<iframe" in path.read_text("utf-8")]
    assert files
    for file in files:
        with open_page(browser) as page:
            load(page, file)
            for frame in page.locator("article iframe").element_handles():
                frame.scroll_into_view_if_needed()
                inside = frame.content_frame()
                inside.wait_for_selector(":is(svg, canvas):visible")
                assert frame.bounding_box()["height"] > 150, file.name
            assert page.troubles == [], file.name


# ---- the words that the website adds ----


def test_a_definition_has_at_most_two_sentences():
    text = (ROOT / "website" / "glossary.md").read_text(encoding="utf-8")
    definitions = re.findall(r"(?m)^  (.+)$", "\n".join(pages.GLOSSARY.findall(text)))
    assert len(definitions) >= 40
    assert [line for line in definitions if len(re.findall(r"[.?!](?: |$)", line)) > 2] == []


@pytest.mark.parametrize("name", ["glossary.md", "summary.md", "index.md.j2"])
def test_prose_states_no_measured_number(name):
    text = (ROOT / "website" / name).read_text(encoding="utf-8")
    prose = re.sub(r"\$[^$]+\$|`[^`]*`|\([^)]*\)", "", text)
    assert re.findall(r"\d\.\d", prose) == []


ENTRIES = {"KL divergence": "KL divergence", "posterior": "posterior"}
ENTRIES |= {"posterior collapse": "posterior collapse", "relative entropy": "KL divergence"}


@pytest.mark.parametrize(
    ("source", "linked"),
    [
        ("A posterior and a posterior.", "A {term}`posterior <posterior>` and a posterior."),
        ("Posterior collapse.", "{term}`Posterior collapse <posterior collapse>`."),
        ("two KL\ndivergences", "two {term}`KL divergences <KL divergence>`"),
        ("the relative entropy", "the {term}`relative entropy <KL divergence>`"),
        ("# The posterior", None),
        ("`posterior`, $posterior$, [posterior](x.md), posteriori", None),
        ("$$\nposterior\n$$", None),
        ("```\nposterior\n```", None),
        ("<details><summary>The posterior</summary>", None),
        ("<https://posterior.example> https://x.example/posterior", None),
    ],
)
def test_the_first_use_of_a_term_in_prose_is_linked(source, linked):
    assert pages.link_terms(source, ENTRIES, seen=set()) == (linked or source)


def test_a_term_is_linked_once_a_page():
    seen = set()
    pages.link_terms("The posterior.", ENTRIES, seen)
    assert pages.link_terms("The posterior.", ENTRIES, seen) == "The posterior."


# ---- a small notebook: what the course need not hold ----


def role(name, **metadata):
    return {"tags": [name], **metadata}


def printed(text):
    return [new_output("stream", name="stdout", text=text)]


CLAIMS = "before\n✓ one < two  (10 pairs)\n✓ sums\nafter\n"
TABLE = '<table class="course"><thead><tr><th scope="col">error $x^2$</th></tr></thead></table>'
ALT = {"image/png": {"alt": 'A "small" empty pair of axes.'}}
TWO_PICTURES = cell_with_picture(ALT)
TWO_PICTURES.outputs += cell_with_picture({"image/png": {"alt": "Another pair of axes."}}).outputs
SOUND = [
    slide("notes", "<details><summary>Speaker's note</summary>\n\nAsk.\n\n</details>"),
    slide("fragment", "It is one.\n\n<details><summary>Why?</summary>\n\n*So*.\n\n</details>"),
    slide("slide", "## A second slide\n\nThe entropy and the entropy."),
    new_markdown_cell("For the slide alone.", metadata=role("slide-only")),
    new_code_cell("lesson()", metadata=role("lesson")),
    new_code_cell("check()", outputs=printed(CLAIMS), metadata=role("check")),
    new_code_cell("setup()", metadata=role("setup")),
    new_code_cell("folded()", metadata={"jupyter": {"source_hidden": True}}),
    new_code_cell("table()", outputs=[new_output("display_data", {"text/html": TABLE})]),
    new_code_cell("seed = 0", metadata=role("parameters")),
    new_code_cell("# Parameters\nseed = 3", metadata=role("injected-parameters")),
    TWO_PICTURES,
]
DAMAGES = {
    "90_sound": SOUND,
    "91_other": [new_markdown_cell("Back to [the sound one](90_sound.ipynb).")],
    "92_wide": [new_code_cell("x = " + " + ".join(["1"] * 80))],
    "93_formula": [new_markdown_cell("Here $\\undefinedmacro x$ and there \\$\\$\\frac{1}{2.")],
    "94_outside": [new_markdown_cell('<img src="https://cdn.example/x.png" alt="A far picture.">')],
    "95_no_alt": [cell_with_picture({})],
    "96_contrast": [new_markdown_cell('<p style="color: #bbb">Hardly to be read.</p>')],
    "97_dead": [new_markdown_cell('<a href="gone.html">A file</a>, <a href="#gone">a place</a>.')],
    "98_broad": [new_markdown_cell('<div style="width: 2000px">Broad.</div>')],
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Source and target of a build of the sound sample and its damaged copies."""
    source = tmp_path_factory.mktemp("samples")
    for stem, cells in DAMAGES.items():
        nbformat.write(sample_notebook(*cells), source / f"{stem}.ipynb")
    return source, build(source, source / "build").parent


def complaints_about(browser, file, *checks, width=1280):
    with open_page(browser, width=width) as page:
        load(page, file)
        return [complaint for check in checks for complaint in check(page)]


def test_a_sound_sample_passes_every_check(samples, browser):
    file = samples[1] / "pages" / "90_sound.html"
    shared = [unrendered_formulas, short_brackets, images_without_alt, requests_outside, dead_links]
    shared += [dead_anchors, axe_violations, too_wide, out_of_reach]
    assert complaints_about(browser, file, cut_code, *shared) == []
    assert complaints_about(browser, file, *shared, width=390) == []


@pytest.mark.parametrize(
    ("stem", "check", "complaint"),
    [
        ("92_wide", cut_code, r"cut: x = 1 \+ 1"),
        ("93_formula", unrendered_formulas, "formula not drawn: .*undefinedmacro"),
        ("93_formula", unrendered_formulas, r"raw TeX: .*\$\$"),
        ("94_outside", requests_outside, "asks the outside: https://cdn.example/x.png"),
        ("95_no_alt", images_without_alt, "picture 1 has no alt text"),
        ("96_contrast", axe_violations, "axe color-contrast"),
        ("97_dead", dead_links, "dead link: .*gone.html"),
        ("97_dead", dead_anchors, "dead anchor: gone"),
        ("98_broad", too_wide, "px wide on a screen of 1280"),
    ],
)
def test_damage_is_seen(samples, browser, stem, check, complaint):
    complaints = complaints_about(browser, samples[1] / "pages" / f"{stem}.html", check)
    assert re.search(complaint, "\n".join(complaints))


def test_a_bracket_that_does_not_grow_is_seen(samples, browser):
    with open_page(browser) as page:
        load(page, samples[1] / "pages" / "90_sound.html")
        assert short_brackets(page) == []
        page.evaluate("""document.querySelectorAll('[data-mml-node=mtable] ~ [data-mml-node=mo] *')
                      .forEach((part, index) => { if (index) part.remove(); })""")
        assert short_brackets(page)


def test_what_the_keyboard_does_not_reach_is_seen(samples, browser):
    with open_page(browser, width=390) as page:
        load(page, samples[1] / "pages" / "92_wide.html")
        assert out_of_reach(page) == []
        page.evaluate("document.querySelectorAll('pre').forEach((e) => { e.tabIndex = -1; })")
        assert out_of_reach(page)


def test_a_formula_keeps_its_punctuation(samples, browser):
    with open_page(browser) as page:
        load(page, samples[1] / "pages" / "90_sound.html")
        kept = page.locator("span[style*=nowrap]:has(mjx-container)").first
        assert kept.evaluate("(span) => [span.firstChild.data, span.lastChild.data]") == ["(", ")."]


def test_what_a_page_leaves_out_folds_and_keeps(samples, browser):
    with open_page(browser) as page:
        load(page, samples[1] / "pages" / "90_sound.html")
        seen = page.inner_text("article")
        for word in ("lesson()", "seed = 0", "seed = 3", "plot()", "table()"):
            assert word in seen
        for word in ("check()", "setup()", "folded()"):
            assert word not in seen
        unfold(page)
        seen = page.inner_text("article")
        for word in ("check()", "setup()", "folded()"):
            assert word in seen
        for word in ("Ask.", "For the slide alone.", "# Parameters"):
            assert word not in seen
        alts = page.evaluate("[...document.images].map((image) => image.alt)")
        assert alts == ['A "small" empty pair of axes.', "Another pair of axes."]
        assert page.locator("table.course mjx-container").count() == 1


def test_claims_are_a_list_of_sentences(samples, browser):
    with open_page(browser) as page:
        load(page, samples[1] / "pages" / "90_sound.html")
        claims = page.locator("ul.ticks li")
        assert claims.all_inner_texts() == ["one < two 10 pairs", "sums"]
        printed = page.locator(".output.stream pre").all_inner_texts()
        assert [text.strip() for text in printed] == ["before", "after"]


def test_answers_unfold(samples, browser):
    with open_page(browser) as page:
        load(page, samples[1] / "pages" / "90_sound.html")
        assert not page.locator("details em").is_visible()
        page.click("summary:has-text('Why?')")
        assert page.locator("details em").is_visible()


def test_links_lead_to_pages_slides_and_the_notebook(samples):
    source, target = samples
    text = (target / "pages" / "90_sound.html").read_text(encoding="utf-8")
    article = text.split("<article")[1].split("</article>")[0]
    assert 'href="91_other.html"' in article
    assert "[none]" not in article
    assert 'href="../slides/90_sound.html"' in article
    assert article.count("glossary.html#term-entropy") == 1
    downloaded = target / "downloads" / "90_sound.ipynb"
    assert downloaded.read_bytes() == (source / "90_sound.ipynb").read_bytes()
    assert "mybinder" not in article


def links_of(**options):
    notebook = sample_notebook()
    lecture = build_site.describe(Path("90_sound.ipynb"), notebook)
    build_site.add_around(notebook, lecture, is_exercise=False, **options)
    return notebook.cells[0].source


def test_a_named_repository_adds_launch_links(monkeypatch):
    monkeypatch.setattr(build_site, "repository", lambda: "someone/course")
    source = links_of()
    assert "/gh/someone/course/HEAD?urlpath=lab/tree/notebooks/90_sound.ipynb" in source
    assert "/github/someone/course/blob/colab/notebooks/90_sound.ipynb" in source


def test_a_lecture_that_runs_in_a_browser_has_a_link_to_it():
    assert "../lite/lab/index.html?path=notebooks/90_sound.ipynb" in links_of(in_browser=True)
    assert "../lite" not in links_of()


def test_the_index_takes_the_picture_that_a_lecture_names():
    first, second = cell_with_picture(ALT), cell_with_picture({"image/png": {"alt": "Second."}})
    notebook = sample_notebook(first, second)
    assert build_site.find_picture(notebook) == first.outputs[0]
    notebook.metadata.course["picture"] = second.id
    assert build_site.find_picture(notebook) == second.outputs[0]


def test_building_again_gives_the_same_bytes_and_leaves_nothing_stale(samples):
    source, target = samples
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    (target / "pages" / "89_gone.html").touch()
    (target / "notebooks").mkdir()  # what `make run` keeps there stays
    build(source, target)
    (target / "notebooks").rmdir()
    after = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert {path for path in before.keys() | after if before.get(path) != after.get(path)} == set()


def test_what_sphinx_does_not_understand_is_one_line_and_changes_nothing(samples, tmp_path):
    bad = sample_notebook(new_markdown_cell("See [it](nowhere.md)."))
    nbformat.write(bad, tmp_path / "90_bad.ipynb")
    target = tmp_path / "build"
    (target / "pages").mkdir(parents=True)
    with pytest.raises(BuildError, match=r"^pages/90_bad.ipynb:.*nowhere.md.*$"):
        build(tmp_path, target)
    assert [path.name for path in target.iterdir()] == ["pages"]
    assert list((target / "pages").iterdir()) == []


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
    monkeypatch.setitem(packages.PACKAGE_FILES, "gone", missing)
    with pytest.raises(BuildError, match=rf"^the package {distribution} has no file .*gone.js \("):
        build(samples[0], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_check_said_to_a_student_is_not_on_the_page():
    cell = nbformat.v4.new_code_cell("check('x', x)")
    cell.outputs = [nbformat.v4.new_output("stream", text="✗ x: it is not a number")]
    notebook = pages.unrun(nbformat.v4.new_notebook(cells=[cell]))
    assert not notebook.cells[0].outputs
    assert notebook.cells[0].source == "check('x', x)"


def test_code_that_shows_nothing_is_folded_with_the_code_after_it():
    def code(source, tag, *outputs):
        return nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}, outputs=list(outputs))

    def tick(name):
        return nbformat.v4.new_output("stream", text=f"✓ {name}\n")

    cells = [code("a = 1", "setup"), code("b = 2", "setup"), code("c", "check", tick("one"))]
    cells += [code("d", "check", tick("two")), code("e", "lesson"), code("f", "check", tick("x"))]
    page = pages.for_page(nbformat.v4.new_notebook(cells=cells), lambda path: None, {})
    assert [cell.source for cell in page.cells] == ["a = 1\n\n\nb = 2\n\n\nc\n\n\nd", "e", "f"]
    (output,) = page.cells[0].outputs
    assert re.findall("<li>(.*?)</li>", output.data["text/html"]) == ["one", "two"]
    assert cells[0].source == "a = 1", "the notebook itself stays as it is"
