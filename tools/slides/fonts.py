"""The fonts of the slides, inside the file: what fits on a slide here fits on every machine."""

from base64 import b64encode
from functools import cache
from io import BytesIO

from fontTools import subset, ttLib

from tools.packages import package_bytes

FACES = (  # family, weight, style, and the file's name in PACKAGE_FILES
    ("Course Sans", 400, "normal", "sans"),
    ("Course Sans", 400, "italic", "sans_italic"),
    ("Course Sans", 600, "normal", "sans_bold"),
    ("Course Mono", 400, "normal", "mono"),
    ("Course Mono", 600, "normal", "mono_bold"),
)
CHARACTERS = (  # Latin, Greek, punctuation, arrows, signs of mathematics, ticks
    *range(0x20, 0x250),
    *range(0x300, 0x400),
    *range(0x2000, 0x20D0),
    *range(0x2100, 0x2300),
    *range(0x2700, 0x2720),
)


@cache
def font_faces():
    """The @font-face rules of all faces, each with the characters that a lecture uses."""
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f"src: url(data:font/woff;base64,{_subset(name)}) }}"
        for family, weight, style, name in FACES
    )


def _subset(name):
    font = ttLib.TTFont(BytesIO(package_bytes(name)), recalcTimestamp=False)
    options = subset.Options(layout_features=["*"])
    options.drop_tables += ["FFTM", "webf"]  # of font editors; no browser reads them
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    font.flavor = "woff"
    file = BytesIO()
    font.save(file)
    return b64encode(file.getvalue()).decode()
