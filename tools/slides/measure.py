"""What a deck of slides is held to, as functions from its screens to lists of complaints.

A screen is what is to be seen at one time: every slide is one, and every step on it another.
"""

from pathlib import Path
from statistics import median

MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
SCREENS_A_MINUTE = 0.7
SMALLEST_TYPE = 20  # pixels on a canvas of 1280 x 720
SMALLEST_CODE = 22
CODE_LINES = 10  # lines that are not blank
CODE_SHARE = 0.3
MEDIAN_WORDS = 28
PICTURE_SHARE = 0.6
LOWEST_END = 0.6  # of the height
CENTRED = {"ask", "title", "quote"}  # these may end higher


def measure(page):
    """The screens of the deck that `page` shows, one dictionary each (see measure.js)."""
    page.set_viewport_size({"width": 1280, "height": 720})
    return page.evaluate(MEASURE)


def place(screen):
    return f"slide {screen['slide']} ({screen['title'][:40].strip()})"


def too_many(screens, minutes):
    allowed = SCREENS_A_MINUTE * minutes
    if len(screens) > allowed:
        return [f"{len(screens)} screens for {minutes} minutes, at most {allowed:.0f}"]
    return []


def small_type(screens):
    """Type that cannot be read from the last row: words, code, and type inside pictures."""
    complaints = []
    for screen in screens:
        kinds = [
            ("type", screen["smallest"], SMALLEST_TYPE),
            ("code", screen["code_size"], SMALLEST_CODE),
            *(("type in a picture", size, SMALLEST_TYPE) for size in screen["picture_types"]),
            *(("type in an explorer", size, SMALLEST_TYPE) for size in screen["explorer_types"]),
        ]
        complaints += [
            f"{place(screen)}: {what} of {size:.1f} px, at least {least}"
            for what, size, least in kinds
            if size is not None and size < least - 0.05
        ]
    return complaints


def too_much_code(screens):
    complaints = [
        f"{place(screen)}: {screen['code_lines']} lines of code, at most {CODE_LINES}"
        for screen in screens
        if screen["code_lines"] > CODE_LINES
    ]
    share = share_of(screens, "code_lines")
    if share > CODE_SHARE:
        complaints.append(f"code on {share:.0%} of the screens, at most {CODE_SHARE:.0%}")
    return complaints


def too_many_words(screens):
    middle = median(screen["words"] for screen in screens)
    if middle > MEDIAN_WORDS:
        return [f"a median of {middle:.0f} words a screen, at most {MEDIAN_WORDS}"]
    return []


def too_few_pictures(screens):
    share = share_of(screens, "pictured")
    if share < PICTURE_SHARE:
        return [f"something to look at on {share:.0%} of the screens, at least {PICTURE_SHARE:.0%}"]
    return []


def share_of(screens, what):
    return sum(bool(screen[what]) for screen in screens) / len(screens)


def stacked_pictures(screens):
    return [
        f"{place(screen)}: a picture stands above or below the words, not beside them"
        for screen in screens
        if screen["stacked_pictures"]
    ]


def empty_below(screens):
    return [
        f"{place(screen)}: ends at {screen['bottom']:.0%} of the height"
        for screen in screens
        if screen["bottom"] < LOWEST_END and screen["layout"] not in CENTRED
    ]


def collisions(screens):
    return [f"{place(screen)}: {what}" for screen in screens for what in screen["collisions"]]


def missing_titles(screens):
    return [
        f"{place(screen)}: has no title of its own"
        for screen in screens
        if screen["repeated"] or not screen["title"]
    ]


def missing_notes(screens):
    """Slides without a note of their own, or without a minute that comes after the last one's."""
    complaints, notes, minute = [], set(), -1
    for screen in slides_among(screens):
        if not screen["note"] or screen["note"] in notes:
            complaints.append(f"{place(screen)}: has no note of its own")
        if screen["minute"] is None:
            complaints.append(f"{place(screen)}: does not say by which minute")
        elif screen["minute"] <= minute:
            complaints.append(f"{place(screen)}: minute {screen['minute']} comes after {minute}")
        notes.add(screen["note"])
        minute = minute if screen["minute"] is None else screen["minute"]
    return complaints


def slides_among(screens):
    """The first screen of every slide."""
    return [screen for screen in screens if screen is first_of(screens, screen)]


def first_of(screens, screen):
    return next(other for other in screens if other["slide"] == screen["slide"])


def given_away(screens):
    """Questions that share their slide, or whose right option can be told before the answer."""
    complaints = []
    for screen in screens:
        if screen["asks"] and screen["layout"] != "ask":
            complaints.append(f"{place(screen)}: the question is not alone on its screen")
        if screen["asks"] and screen is first_of(screens, screen) and screen["answered"]:
            complaints.append(f"{place(screen)}: the answer stands there at once")
        if screen["right"] >= 0:
            right = screen["looks"][screen["right"]]
            marked = screen["looks"].count(right) == 1 < len(screen["looks"])
            if marked and not screen["answered"]:
                complaints.append(f"{place(screen)}: the right option is marked too early")
            if not marked and screen["answered"]:
                complaints.append(f"{place(screen)}: the right option is not marked")
    return complaints


CHECKS = (
    small_type,
    too_much_code,
    too_many_words,
    too_few_pictures,
    stacked_pictures,
    empty_below,
    collisions,
    missing_titles,
    missing_notes,
    given_away,
)


def complaints_about(screens, minutes):
    """All complaints, without repetitions."""
    found = too_many(screens, minutes) + [line for check in CHECKS for line in check(screens)]
    return list(dict.fromkeys(found))


def summary(screens, minutes):
    """The numbers of a deck in lines of text, screen by screen and together."""
    lines = ["slide  minute  layout     words  code  type  drawn  ends  title"]
    for screen in screens:
        minute = "" if screen["minute"] is None else screen["minute"]
        drawn = min(filter(None, screen["picture_types"] + screen["explorer_types"]), default=None)
        lines.append(
            f"{screen['slide']:5}  {minute:6}  {screen['layout']:9} {screen['words']:6}"
            f"  {screen['code_lines'] or '':4}  {screen['smallest']:4.0f}"
            f"  {'' if drawn is None else round(drawn):5}  {screen['bottom']:4.0%}"
            f"  {screen['title'][:50]}"
        )
    lines.append(
        f"{len(screens)} screens, {len(screens) / minutes:.2f} a minute; "
        f"median {median(screen['words'] for screen in screens):.0f} words; "
        f"code on {share_of(screens, 'code_lines'):.0%}, "
        f"something to look at on {share_of(screens, 'pictured'):.0%}"
    )
    return [*lines, *(f"! {line}" for line in complaints_about(screens, minutes))]
