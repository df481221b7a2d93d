"""Small notebooks for the tests: what the course need not hold."""

import matplotlib.pyplot as plt
from IPython.core.pylabtools import print_figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def sample_notebook(*cells):
    """A notebook with one slide to which `cells` add what is wrong with it."""
    heading = slide(
        "slide",
        "# 90 · Sample\n\nSee [the other](91_other.ipynb), [none](99_none.ipynb).\n\n"
        "A formula ($x$).\n\n$$\\begin{pmatrix} 1 \\\\ 2 \\\\ 3 \\\\ 4 \\end{pmatrix}, x < 1$$",
    )
    notebook = new_notebook(cells=[heading, *cells])
    notebook.metadata.course = {"question": "Does it work?", "minutes": 5}
    return notebook


def slide(kind, source):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def cell_with_picture(metadata, size=(2, 1)):
    figure, _ = plt.subplots(figsize=size)
    png = print_figure(figure, base64=True)
    plt.close(figure)
    output = new_output("display_data", {"image/png": png}, metadata=metadata)
    return new_code_cell("plot()", outputs=[output], execution_count=1)
