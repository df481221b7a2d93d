"""Draw the pictures that stand in for the explorers where no script runs, by the explorers.

    python -m tools.draw_stand_ins

Each is the figure at the start of the call below, with its numbers, in
lecture_utils/explorers/stand_ins/. To be run after a change of an explorer; a test says when.
"""

import base64
import re
from html import escape
from pathlib import Path

import numpy as np

from lecture_utils import explorers
from tools.chromium import chromium, find_chromium

FOLDER = Path(explorers.__file__).parent / "stand_ins"
RNG = np.random.default_rng(0)
SCORES = RNG.gamma(6, 0.35, 400), RNG.normal(4.6, 1, 400).clip(0.5)
# The data of two are invented: a stand-in shows the figure, not the lecture's numbers.
EXAMPLES = {
    "kl": explorers.kl_explorer,
    "via": lambda: explorers.kl_explorer(mean_q=2, mean_r=1),
    "js": explorers.js_explorer,
    "three_points": explorers.three_points_explorer,
    "eigenvalues": lambda: explorers.eigenvalue_explorer([4, 2, 1.5, 1, 0.5, 0.2, 0.05], 0.4),
    "denoising": explorers.denoising_explorer,
    "two_modes": explorers.two_modes_explorer,
    "window": explorers.window_explorer,
    "threshold": lambda: explorers.threshold_explorer(*SCORES),
    "integrand": explorers.integrand_explorer,
    "ellipses": explorers.ellipses_explorer,
    "steps": explorers.steps_explorer,
}
INVENTED = {"eigenvalues", "threshold"}


def stand_in(page, name):
    """The figure `name` as HTML that JupyterLab keeps in a notebook that is not trusted.

    `page` is an empty one of a browser.
    """
    page.set_content(EXAMPLES[name]().data)
    page.frame_locator("iframe").get_by_role("slider").first.wait_for()
    frame = page.frames[-1]
    drawings = frame.evaluate(
        """[...document.querySelectorAll('#drawing svg')].map(svg => ({
          label: svg.getAttribute('aria-label'),
          text: new XMLSerializer().serializeToString(svg)}))"""
    )
    rows = frame.evaluate(
        """[...document.querySelectorAll('tr')].map(row =>
          [...row.children].map(cell => cell.textContent).join(' '))"""
    )
    verdict = frame.locator("#verdict").inner_text()
    pictures = [_image(drawing["text"], drawing["label"]) for drawing in drawings]
    note = "An example with invented numbers. " * (name in INVENTED)
    words = f"{escape('; '.join(rows))}.<br>\n{escape(verdict)} {note}Run the cell to move it."
    return "\n".join(["<figure>", *pictures, f"<figcaption>{words}</figcaption>", "</figure>\n"])


def _image(svg, label):
    """A drawing as an image of its own, in the light palette."""
    css = (FOLDER.parent / "frame.css").read_text(encoding="utf-8")
    palette = dict(re.findall(r"(--\w+): (#\w+)", css.split(":root.dark")[0]))
    svg = re.sub(r"var\((--\w+)\)", lambda name: palette[name[1]], svg)
    svg = re.sub('="[^"]*"', lambda value: re.sub(r"(\d\.\d)\d+", r"\1", value[0]), svg)
    svg = re.sub(r' style="font-size: [\d.]+px;"', "", svg, count=1)
    _, _, width, height = re.search('viewBox="(.*?)"', svg)[1].split()
    look = f"""<style>svg {{ font: 15px system-ui, sans-serif; text-anchor: middle }}
.disc, rect.paper {{ fill: #fff }} .small {{ font-size: .87em }} .die .density {{ display: none }}
</style><rect class="paper" width="{width}" height="{height}"/>"""
    svg = re.sub("(<svg.*?>)", lambda tag: tag[1] + look, svg, count=1)
    data = base64.b64encode(svg.encode()).decode()
    alt = f"{label}, where the figure starts. Its numbers stand below."
    return f'<img width="{width}" src="data:image/svg+xml;base64,{data}"\n alt="{escape(alt)}">'


def main():
    with chromium(find_chromium()) as browser:
        page = browser.new_page()
        for name in EXAMPLES:
            (FOLDER / f"{name}.html").write_text(stand_in(page, name), encoding="utf-8")


if __name__ == "__main__":
    for name in EXAMPLES:
        (FOLDER / f"{name}.html").touch()
    main()
