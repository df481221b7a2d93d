"""Write build/colab: the notebooks as Colab needs them, with a first cell that fetches the library.

The workflow `site` puts them on the branch `colab`, to which the links on the pages lead.
"""

import shutil
import sys

import nbformat
from nbformat.v4 import new_code_cell

from tools.course import NOTEBOOKS, Parser, Refused, claim, command, notebooks_in, read, repository

# Without what the library requires: Colab has all of it, and an update would ask for a restart.
CELL = """# Colab fetches the course's library here; where it is installed, nothing happens.
import importlib.util

if importlib.util.find_spec("lecture_utils") is None:
    %pip install --quiet --no-deps "lecture-utils @ git+https://github.com/{name}"
"""


def for_colab(notebook, name):
    """Return the notebook with a first cell that installs lecture_utils from repository `name`."""
    first = new_code_cell(CELL.format(name=name).rstrip(), id="colab", metadata={"tags": ["setup"]})
    notebook.cells.insert(0, first)
    return notebook


def build(target, name):
    """Write lectures, exercises and solutions into the folder `target`, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    for place in (NOTEBOOKS, NOTEBOOKS / "exercises", NOTEBOOKS / "solutions"):
        for path in notebooks_in(place):
            new = target / "notebooks" / path.relative_to(NOTEBOOKS)
            new.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(for_colab(read(path), name), new)


@command()
def main():
    """Write the notebooks and return the exit status."""
    parser = Parser("colab", __doc__)
    parser.add_output()
    output = parser.parse_args().output
    name = repository()
    if name is None:
        raise Refused("Colab needs the repository's name: write it into CITATION.cff")
    claim(output)
    build(output / "colab", name)
    print(f"written to {output / 'colab'}")


if __name__ == "__main__":
    sys.exit(main())
