"""What every explorer owes: mouse, touch and keys, a deck, dark mode, a phone, and a stand-in."""

import base64
import itertools
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import open_page, require_chromium
from conftest import ROOT
from explorer_pages import EXPLORERS, LABELS, drag, press, show, swipe, trained

from lecture_utils.explorers import latent_explorer, threshold_explorer
from tools.draw_stand_ins import EXAMPLES, FOLDER, stand_in

require_chromium()

ROOT_OF_PAGE = "document.documentElement"
DECK = """<style>body {{ margin: 0 }} h2 {{ margin: 20px 0; font-size: 40px }}</style>
<div class="reveal"><div class="slides"><section><h2>Title</h2>{}</section></div></div>
<script>heard = []; document.addEventListener("keydown", e => heard.push([e.key, e.keyCode]))
</script>"""
HANDLES = "#drawing [role=slider]"


@pytest.fixture(params=EXPLORERS)
def name(request):
    return request.param


def state_of(frame):
    return frame.evaluate("JSON.stringify(state)")


def first_handle(frame):
    return frame.locator(HANDLES).locator("visible=true").first.get_attribute("id")


@pytest.mark.parametrize(
    ("width", "background"), [(1280, "#fff"), (800, "#fff"), (390, "#fff"), (390, "#121212")]
)
def test_everything_is_in_sight_and_accessible(browser, name, width, background):
    style = "<style>body {{ background: " + background + " }}</style>"
    with open_page(browser, width=width) as page:
        frame = show(page, EXPLORERS[name](), style + "<main>{}</main>")
        frame.wait_for_function(f"{ROOT_OF_PAGE}.offsetHeight === innerHeight")
        assert frame.evaluate(f"{ROOT_OF_PAGE}.scrollHeight <= innerHeight")
        assert frame.evaluate(f"{ROOT_OF_PAGE}.scrollWidth <= innerWidth")
        axe_script = Axe().axe_script
        for part in page.frames:  # it looks into a frame only where it has been loaded
            part.evaluate(axe_script)
            part.evaluate("axe.configure({allowedOrigins: ['<unsafe_all_origins>']})")
        result = page.evaluate("axe.run()")
        assert "aria-required-attr" in {check["id"] for check in result["passes"]}  # of the sliders
        assert [violation["id"] for violation in result["violations"]] == []
        assert page.troubles == []


def test_it_follows_mouse_and_keys(page, name):
    frame = show(page, EXPLORERS[name]())
    handle, states = first_handle(frame), [state_of(frame)]
    drag(page, frame, handle, 45, dy=-45 if name in ("eigenvalues", "integrand") else 0)
    states.append(state_of(frame))
    for key in ("ArrowLeft", "ArrowRight", "Shift+ArrowLeft"):
        press(frame, handle, key)
        states.append(state_of(frame))
    changed = [one != other for one, other in itertools.pairwise(states)]
    assert all(changed), changed


def test_it_follows_a_finger_and_the_page_does_not(phone, name):
    frame = show(phone, EXPLORERS[name](), "<main>{}</main><div style='height: 2000px'></div>")
    before = state_of(frame)
    swipe(phone, frame, first_handle(frame), 30, dy=-44)
    assert state_of(frame) != before
    assert phone.evaluate("scrollY") == 0


def test_every_handle_says_where_it_is(page, name):
    frame = show(page, EXPLORERS[name]())
    for handle in frame.locator(HANDLES).all():
        for attribute in ("aria-label", "aria-valuetext"):
            text = handle.get_attribute(attribute)
            assert text
            assert "NaN" not in text
        now, low, high = (
            float(handle.get_attribute(f"aria-value{what}")) for what in ("now", "min", "max")
        )
        assert low <= now <= high
    if name != "latent":
        assert frame.locator("#verdict").get_attribute("aria-live") == "polite"


# ---- in a talk ----


def test_on_a_slide_it_is_large_and_has_no_heading_of_its_own(page, name):
    frame = show(page, EXPLORERS[name](), DECK)
    frame.wait_for_function("document.querySelector('svg[style]') !== null")
    assert not frame.get_by_role("heading").is_visible()
    height = page.locator("iframe").bounding_box()["height"]
    assert height == 560
    assert frame.evaluate(f"{ROOT_OF_PAGE}.scrollHeight <= innerHeight")
    small = frame.evaluate(
        """[...document.querySelectorAll('#drawing text, #numbers :is(th, td, p, label, legend)')]
        .filter(node => node.textContent && node.getBoundingClientRect().width)
        .map(node => [parseFloat(getComputedStyle(node).fontSize)
            * (node.ownerSVGElement ? scale(node.ownerSVGElement) : 1), node.textContent])
        .filter(([size]) => size < 19.99)"""
    )
    assert small == []
    assert frame.evaluate(
        "byId('numbers').scrollWidth <= byId('numbers').clientWidth"
        " && byId('numbers').offsetHeight <= innerHeight"
    )
    drawing = frame.evaluate(
        """[...document.querySelectorAll('#drawing svg')].map(svg => scale(svg)
          * Math.max(svg.viewBox.baseVal.height / innerHeight,
                     svg.viewBox.baseVal.width / svg.parentElement.offsetWidth))"""
    )
    assert sum(drawing) > 0.9  # it fills its frame, one way or the other


def test_a_clicker_still_turns_the_slides(page, name):
    frame = show(page, EXPLORERS[name](), DECK)
    codes = {"PageDown": 34, "PageUp": 33, " ": 32, "Escape": 27, "n": 78, "p": 80}
    controls = frame.locator(f"{HANDLES}, input").locator("visible=true").element_handles()
    for control in controls:
        page.evaluate("heard = []")
        control.press("ArrowRight")
        assert page.evaluate("heard") == []
        before = state_of(frame)
        for key in codes:
            control.press("Space" if key == " " else key)
        assert page.evaluate("heard") == [[key, code] for key, code in codes.items()]
        assert state_of(frame) == before
    page.evaluate("heard = []")
    frame.locator("#numbers").click(position={"x": 2, "y": 2})
    frame.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("heard") == [["ArrowRight", 39]]


def test_beside_text_the_keys_scroll_the_page(page, name):
    frame = show(page, EXPLORERS[name](), "<main>{}</main><div style='height: 3000px'></div>")
    press(frame, first_handle(frame), "ArrowUp")
    assert page.evaluate("scrollY") == 0
    press(frame, first_handle(frame), "PageDown")
    page.wait_for_function("scrollY > 100")


# ---- its look, and what it asks for ----


def test_it_turns_dark_with_its_host(page, name):
    frame = show(page, EXPLORERS[name]())
    dark = f"{ROOT_OF_PAGE}.classList.contains('dark')"
    assert not frame.evaluate(dark)
    page.evaluate("document.body.style.background = 'rgb(20, 22, 24)'")
    frame.wait_for_function(dark)
    background = frame.evaluate(f"getComputedStyle({ROOT_OF_PAGE}).backgroundColor")
    assert background == "rgb(20, 22, 24)"
    page.evaluate("document.body.style.background = '#fff'")
    frame.wait_for_function(f"!{dark}")


@pytest.mark.parametrize(("scheme", "dark"), [("dark", True), ("light", False)])
def test_where_the_host_has_no_colour_the_system_decides(page, scheme, dark):
    page.emulate_media(color_scheme=scheme)
    style = "<style>:root {{ color-scheme: light dark }}</style>"
    frame = show(page, EXPLORERS["kl"](), style + "<main>{}</main>")
    assert frame.evaluate(f"{ROOT_OF_PAGE}.classList.contains('dark')") is dark


def test_nothing_is_asked_of_the_outside_and_nothing_changes_between_runs(name):
    html = EXPLORERS[name]().data
    assert "http" not in html
    assert not re.search(r"\{\{\w+\}\}", html)
    assert html == EXPLORERS[name]().data
    assert len(html) < 200_000


# ---- what stands in for it ----


def without_frames(explorer):
    """As JupyterLab shows a notebook that is not trusted (test_lab looks at the real thing)."""
    return re.sub("<iframe.*?</iframe>|<style.*?</style>", "", explorer.data, flags=re.DOTALL)


def parts(html):
    """The words of a stand-in, and the numbers of its pictures."""
    pictures = re.findall('base64,(.*?)"', html)
    drawn = " ".join(base64.b64decode(picture).decode() for picture in pictures)
    text = re.sub('base64,.*?"', "", html)
    return re.split(r"-?\d+(?:\.\d+)?", text), [
        np.array(re.findall(r"-?\d+(?:\.\d+)?", part), dtype=float) for part in (text, drawn)
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_stand_in_is_what_the_explorer_draws(page, name):
    stored = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
    words, values = parts(stored)
    fresh_words, fresh_values = parts(stand_in(page, name))
    remedy = "run: python -m tools.draw_stand_ins"
    assert words == fresh_words, remedy
    for one, other in zip(values, fresh_values, strict=True):
        assert one.shape == other.shape, remedy
        np.testing.assert_allclose(one, other, atol=0.11, err_msg=remedy)


def test_the_stand_in_is_seen_where_frames_are_dropped_and_only_there(page, name):
    explorer = EXPLORERS[name]()
    show(page, explorer)
    assert not page.locator("figure").is_visible()
    page.set_content(without_frames(explorer))
    assert "Run the cell" in page.locator("figcaption").inner_text()
    images = page.get_by_role("img").all()
    assert len(images) == {"latent": 0, "threshold": 2}.get(name, 1)
    for image in images:
        assert image.is_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        assert len(image.get_attribute("alt")) > 20


def test_a_sentence_says_that_scripts_are_off(browser, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(EXPLORERS[name]().data)
    assert "Scripts are switched off" in page.frames[-1].locator("noscript").inner_text()
    context.close()


def test_all_that_was_trained_is_what_nbval_leaves_out():
    config = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    [regex] = re.findall("^regex: (data-trained.*)$", config, flags=re.MULTILINE)

    def compared(html):
        return re.sub(regex, "", html)

    one, other = (latent_explorer(*trained(seed), LABELS).data for seed in (0, 1))
    assert one != other
    assert compared(one) == compared(other)
    assert len(compared(one)) > 6_000
    assert compared(one) != compared(latent_explorer(*trained(), LABELS[::-1]).data)
    scores = np.random.default_rng(0).gamma(2, 1e5, size=(2, 2, 50))
    one, other = (threshold_explorer(*pair).data for pair in scores)
    assert one != other
    assert compared(one) == compared(other)
