"""Draw the picture at the top of the README from the pages and slides that `make site` built.

    python -m tools.draw_readme

To be run again when a lecture in it has changed.
"""

from io import BytesIO

from PIL import Image

from tools.chromium import chromium, require_chromium
from tools.course import BUILD, ROOT

TARGET = ROOT / "website" / "readme.png"
PAGE = "pages/06_fitting_with_kl.html"
SLIDES = [
    ("13_denoising_autoencoder", "From noise to data"),
    ("14_variational_autoencoder", "an ellipse"),
]
GAP = 16


def explorer(browser):
    """The page of a lecture, where its explorer is."""
    page = browser.new_page(viewport={"width": 1100, "height": 830})
    page.goto((BUILD / PAGE).as_uri())
    page.frame_locator("iframe").get_by_role("slider").first.wait_for()
    page.evaluate(
        "document.querySelector('iframe').scrollIntoView(); scrollBy(0, -270)"  # below the header
    )
    page.wait_for_timeout(500)
    return screenshot(page)


def slide(browser, deck, words):
    """The slide of a deck with `words` in its title, all its steps shown."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((BUILD / "slides" / f"{deck}.html").as_uri())
    page.wait_for_function("document.documentElement.dataset.ready")
    page.evaluate(
        """words => {
          const titles = [...document.querySelectorAll("h2")]
          const title = titles.find(title => title.textContent.includes(words))
          const place = Reveal.getIndices(title.closest("section"))
          Reveal.slide(place.h, place.v, 99)  // 99: the last step
        }""",
        words,
    )
    page.wait_for_timeout(500)
    return screenshot(page)


def screenshot(page):
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    page.close()
    return image


def main():
    with chromium(require_chromium()) as browser:
        left = explorer(browser)
        right = [slide(browser, *what) for what in SLIDES]
    height = (left.height - GAP) // 2
    width = height * 16 // 9
    picture = Image.new("RGB", (left.width + 3 * GAP + width, left.height + 2 * GAP), "#d0d7de")
    picture.paste(left, (GAP, GAP))
    for number, image in enumerate(right):
        place = (left.width + 2 * GAP, GAP + number * (height + GAP))
        picture.paste(image.resize((width, height), Image.Resampling.LANCZOS), place)
    picture.quantize(256).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
