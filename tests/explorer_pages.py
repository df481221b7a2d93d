"""How the tests put an explorer into a page, move it and read it."""

import re

import numpy as np

from lecture_utils.explorers import latent_explorer
from tools.draw_stand_ins import EXAMPLES

LABELS = np.arange(300) % 10


def trained(seed=0):
    """Layers and codes as training might leave them, of the size that the course uses."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(64, 2)), rng.normal(size=64)
    pixels = rng.normal(size=(784, 64)) * 0.3, rng.normal(size=784)
    return [hidden, pixels], rng.normal(size=(300, 2)) * [3, 1]


EXPLORERS = {**EXAMPLES, "latent": lambda: latent_explorer(*trained(), LABELS)}
PLAIN = "<main><h1>Test</h1>{}</main>"


def show(page, explorer, around=PLAIN):
    """Put the explorer into a page, `around` it, and return its frame."""
    page.set_content(
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
        f"<title>Test</title>{around.format(explorer.data)}"
    )
    page.frame_locator("iframe").get_by_role("slider").first.wait_for()
    return page.frames[-1]


def read(frame, *names):
    return [frame.locator(f"#{name}").inner_text() for name in names]


def numbers(frame, *names):
    """The numbers in the elements, one list."""
    texts = [text.replace("−", "-") for text in read(frame, *names)]
    return [float(value) for text in texts for value in re.findall(r"-?\d[\d.]*", text)]


def shown(frame, expression):
    """What a JavaScript expression of the page gives."""
    return frame.evaluate(f"JSON.parse(JSON.stringify({expression}))")


def put(frame, **state):
    """Bring the explorer to a state that would take many keys."""
    frame.evaluate("values => { Object.assign(state, values); update() }", state)


def centre(frame, name):
    box = frame.locator(f"#{name} .disc").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, frame, name, dx, dy=0):
    x, y = centre(frame, name)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=8)
    page.mouse.up()


def press(frame, name, *keys):
    for key in keys:
        frame.locator(f"#{name}").press(key)


def swipe(page, frame, name, dx, dy=0):
    """Drag a handle with a finger that touches it beside its letter."""
    x, y = centre(frame, name)
    x += 8
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        event = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        touch.send("Input.dispatchTouchEvent", event)

    send("touchStart", (x, y))
    for step in range(1, 9):
        send("touchMove", (x + dx * step / 8, y + dy * step / 8))
    send("touchEnd")
