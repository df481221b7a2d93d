"""Where the parts of a slide stand: its layout, found by what it holds, and its HTML."""

import re
from html import escape

from bs4 import BeautifulSoup

from tools.slides.parts import Part

LAYOUTS = ("title", "ask", "define", "split", "wide", "code", "remember", "quote", "plain")
FLAT = 2.2  # a picture this flat, width divided by height, does not stand beside words
LONGEST_BESIDE = 58  # characters of a line of code that leave room for a second column
VISUAL = ("picture", "explorer", "table", "values", "ticks", "printed")
QUESTION = {"stem", "options", "answer"}
BOXES = {"stem": "stem", "explorer": "stage"}  # the class of the box around such a part
ENDS = {  # how a part ends and the next of its kind begins, where the two become one
    "picture": ("</div>", '<div class="figure">'),
    "ticks": ("</ul>", '<ul class="ticks">'),
}
FORMULA = re.compile(r"\s*(\$\$|\\\[|\\begin\{)")


def layout_of(slide, first=False):
    """The layout that what the slide holds calls for."""
    parts = slide.parts + slide.own_words
    kinds = {part.kind for part in parts}
    if first:
        return "title"
    if kinds & QUESTION and kinds <= {*QUESTION, "picture"}:
        return "ask"
    if "code" in kinds:
        return "code"
    if re.search(r"\bremember\b", slide.title or "", re.I) and any(map(is_list, parts)):
        return "remember"
    if "explorer" in kinds or sum(part.shape for part in parts) >= FLAT:
        return "wide"
    if kinds & set(VISUAL):
        return "split" if len(kinds) > 1 else "wide"
    if "answer" in kinds or not parts:
        return "plain"
    if FORMULA.match(text(parts[0].html)):
        return "define"
    if len(parts) == 1 and parts[0].html.startswith("<blockquote"):
        return "quote"
    return "plain"


def text(html):
    return BeautifulSoup(html, "html.parser").get_text()


def is_list(part):
    return part.kind == "words" and part.html.startswith(("<ol", "<ul"))


def arranged(slide, lecture):
    """Return the classes of the slide and the HTML of its body."""
    name, *variant = slide.layout.split()
    parts = slide.parts + slide.own_words
    if name == "title":
        return title(slide, lecture, variant)
    if name == "code":
        return code(parts)
    if name in {"ask", "remember"} and of(parts, "picture"):
        return f"{slide.layout} pictured", split(parts)
    arrange = {"define": define, "split": split, "wide": wide}.get(name, column)
    return slide.layout, arrange(parts)


# ---- the layouts ----


def title(slide, lecture, variant):
    """Number, title, question, what one will be able to do, and a picture beside or below."""
    pictures = of(slide.parts, "picture", "explorer")
    over = "over" in variant or sum(part.shape for part in pictures) >= FLAT
    objectives = [] if over else [part for part in slide.parts if is_list(part)][:1]
    minutes = f" · {lecture.minutes} minutes" if lecture.minutes else ""
    head = (
        f'<p class="number">Lecture {lecture.number}{minutes}</p>'
        f"<h1>{name_kept_together(lecture.title)}</h1>"
        f'<p class="question">{escape(lecture.question, quote=False)}</p>'
        f'<div class="able">{joined(slide.own_words or objectives)}</div>'
    )
    words = f'<div class="column">{head}</div>'
    if not pictures:
        return "title alone", words
    if over:
        return "title over", f'<div class="column">{head}{joined(pictures)}</div>'
    return "title", words + column(pictures)


def name_kept_together(words):
    """A name with a hyphen is not broken at the end of a line."""
    return re.sub(r"\w+(-\w+)+", r'<span class="name">\g<0></span>', escape(words, quote=False))


def define(parts):
    """The formula large on a band; below it the words, in columns."""
    formula = next((part for part in parts if FORMULA.match(text(part.html))), None)
    rest = [part for part in parts if part is not formula]
    groups = columns_of([part for part in rest if part.kind == "words"])
    band = f'<div class="formula">{formula.html}</div>' if formula else ""
    words = "".join(f"<div>{joined(group)}</div>" for group in groups)
    others = joined([part for part in rest if part.kind != "words"])
    return f'<div class="column">{band}<div class="columns">{words}</div>{others}</div>'


def columns_of(parts):
    """Words in columns: each begins with a heading, a bold phrase or an item of a list."""
    groups = []
    for part in parts:
        if is_list(part):
            items = BeautifulSoup(part.html, "html.parser").contents[0].find_all("li")
            groups += [[Part("words", f"<p>{item.decode_contents()}</p>")] for item in items]
        elif not groups or re.match(r"<h3|<p><strong>", part.html):
            groups.append([part])
        else:
            groups[-1].append(part)
    return groups


def split(parts):
    """Two columns: the words, and beside them the picture, or else what there is to look at."""
    right = of(parts, "picture")
    if not right:
        kind = next(kind for kind in VISUAL if of(parts, kind)) if visual(parts) else None
        right = of(parts, kind) if kind else parts[len(parts) // 2 :]
    left = [part for part in parts if part not in right]
    if not of(right, "picture") and not of(left, "words", *QUESTION) and left:
        left, right = sorted((left, right), key=lambda side: parts.index(side[0]))
    return column(left) + column(right)


def wide(parts):
    """One flat picture or an explorer over the full width; words above and below it."""
    if explorers := of(parts, "explorer"):
        parts = explorers + [part for part in parts if part.kind != "explorer"]
    return column(parts)


def code(parts):
    """Code, and its result beside it; code with long lines has the full width."""
    listing = of(parts, "code")
    longest = max(len(line) for part in listing for line in rows(part))
    others = [part for part in parts if part.kind != "code"]
    if others and longest <= LONGEST_BESIDE:
        return "code", column(listing) + column(others)
    start = parts.index(listing[0])
    before, after = parts[:start], [part for part in parts[start:] if part.kind != "code"]
    pictures = of(after, "picture", "explorer")
    results = columns_by_kind([part for part in after if part not in pictures])
    below = f'<div class="beside">{results}</div>' if results else ""
    above = joined(before) + joined(listing)
    return "code over", f'<div class="column">{above}{below}{joined(pictures)}</div>'


def rows(part):
    soup = BeautifulSoup(part.html, "html.parser")
    return [row.get_text() for row in soup.select(".row")]


def columns_by_kind(parts):
    """Parts beside each other, where the next kind begins."""
    groups = []
    for part in parts:
        if groups and groups[-1][-1].kind == part.kind:
            groups[-1].append(part)
        else:
            groups.append([part])
    return "".join(f"<div>{joined(group)}</div>" for group in groups)


# ---- parts as HTML ----


def of(parts, *kinds):
    return [part for part in parts if part.kind in kinds]


def visual(parts):
    return of(parts, *VISUAL)


def column(parts):
    return f'<div class="column">{joined(parts)}</div>'


def joined(parts):
    """The parts one after the other; neighbouring pictures in a row, ticks in one list."""
    html, before = "", None
    for part in parts:
        together = ENDS.get(part.kind)
        if together and before and before.kind == part.kind and before.step == part.step is None:
            end, start = together
            html = html.removesuffix(end) + part.html.removeprefix(start)
        else:
            html += ("\n" if html else "") + stepped(part)
        before = part
    return html


def stepped(part):
    """A part's HTML, hidden until its step."""
    box = BOXES.get(part.kind)
    html = f'<div class="{box}">{part.html}</div>' if box else part.html
    if part.step is None:
        return html
    step = f'fragment" data-fragment-index="{part.step}"'
    if part.kind == "answer":
        return html.replace('fragment"', step, 1)
    if part.kind == "picture":
        return html.replace('figure"', f"figure {step}", 1)
    return f'<div class="{step}>{html}</div>'
