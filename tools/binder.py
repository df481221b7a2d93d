"""Write the README's Binder links: `python -m tools.binder`.

They name the repository that CITATION.cff names, its one place, and every lecture there is.
"""

import re
import sys

from tools.course import ROOT, lectures

BEGIN, END = "<!-- binder -->\n", "<!-- end of binder -->"


def repository():
    """Return owner/name from the repository-code of CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = re.search(r'(?m)^repository-code: "https://github\.com/([\w.-]+/[\w.-]+)"', text)
    if not found:
        sys.exit(
            "no links written: CITATION.cff needs a line "
            'repository-code: "https://github.com/OWNER/REPOSITORY"'
        )
    return found[1]


def links():
    """Return the Markdown: a badge that opens lecture 00, and a link for each lecture."""
    base = f"https://mybinder.org/v2/gh/{repository()}/HEAD?urlpath=lab/tree/notebooks"
    paths = lectures()
    badge = "[![Open the course in Binder](https://mybinder.org/badge_logo.svg)]"
    start = f"{badge}({base}/{paths[0].name})\n"
    return start + "\n".join(f"[{path.name[:2]}]({base}/{path.name})" for path in paths) + "\n"


def main():
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    text = before + BEGIN + links() + END + after
    try:
        readme.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        sys.exit(f"no links written: {error}")


if __name__ == "__main__":
    sys.exit(main())
