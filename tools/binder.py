"""Write the README's links that open the course elsewhere: `python -m tools.binder`.

They name the repository that CITATION.cff names, its one place, and every lecture there is. While a
placeholder stands there, there are none.
"""

import sys

from tools import course
from tools.course import ROOT, command, lectures

BEGIN, END = "<!-- binder -->\n", "<!-- end of binder -->"
START = "notebooks/00_start_here.ipynb"
NONE = """This copy of the course has no public address yet, so there are no links here. With one in
`CITATION.cff`, `python -m tools.binder` writes them: the course in the browser, Binder, Codespaces.
"""


def links():
    """Return the Markdown: a line for each service, and a Binder link for each lecture."""
    name = course.repository()
    if name is None:
        return NONE
    owner, project = name.split("/")
    lite = f"https://{owner}.github.io/{project}/lite/lab/index.html?path={START}"
    binder = f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks"
    paths = lectures()
    lines = [
        f"* [In the browser]({lite}): Part 1 and lecture 07, with exercises, at once.",
        f"* [Codespaces](https://codespaces.new/{name}): everything, with a GitHub account.",
        f"* [![Binder](https://mybinder.org/badge_logo.svg)]({binder}/{paths[0].name}): "
        "everything, after some minutes. One lecture:",
        *(f"  [{path.name[:2]}]({binder}/{path.name})" for path in paths),
    ]
    return "\n".join(lines) + "\n"


@command()
def main():
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    text = before + BEGIN + links() + END + after
    readme.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
