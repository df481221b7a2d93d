"""The course in a browser: what is built, and what Chromium makes of it.

With COURSE_PYODIDE, the folder of a Pyodide distribution, the lectures run there too.
"""

import ast
import json
import os
from pathlib import Path

import nbformat
import pytest
from browser import open_browser, require_chromium
from conftest import ROOT
from lite_pages import errors_in, open_lite, printed, run_all, served
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from samples import cell_with_picture

from tools import lite
from tools.course import NOTEBOOKS, RUNS_IN_A_BROWSER, Refused, code_cells, notebooks_in
from tools.without_torch import REMARK, adapt, imported, needs_torch, plain

require_chromium()

PYODIDE = os.environ.get("COURSE_PYODIDE")
PLACES = (NOTEBOOKS, NOTEBOOKS / "solutions")
RUN_THERE = [
    path.relative_to(ROOT).as_posix()
    for place in PLACES
    for path in notebooks_in(place)
    if int(path.name[:2]) in RUNS_IN_A_BROWSER
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "lite"
    lite.build(folder, Path(PYODIDE) if PYODIDE else None)
    return folder


@pytest.fixture(scope="module")
def address(built):
    with served(built.parent) as address:  # in a folder, as on GitHub's pages
        yield f"{address}/lite"


# ---- what is taken out ----


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("torch.nn", True),
        ("lecture_utils.training", True),
        ("lecture_utils.diagrams", True),
        ("lecture_utils.divergences", False),
        ("lecture_utils.exercises", False),
        ("numpy", False),
    ],
)
def test_which_modules_need_torch(module, needs):
    assert needs_torch(module) == needs


@pytest.mark.parametrize("path", RUN_THERE)
def test_nothing_that_runs_in_a_browser_imports_torch(path):
    number = int(Path(path).name[:2])
    notebook = lite.for_browser(nbformat.read(ROOT / path, as_version=4), number)
    nodes = [node for cell in code_cells(notebook.cells) for node in walk(cell.source)]
    assert not any(needs_torch(name) for node in nodes for name in imported(node))
    assert len(code_cells(notebook.cells)) >= 3


def walk(source):
    return ast.walk(ast.parse(plain(source)))


def test_a_cell_that_needs_torch_leaves_its_picture():
    alt = {"image/png": {"alt": "A network."}}
    picture = cell_with_picture(alt)
    picture.source = "show(*draw_network(model))"
    sources = ["import numpy as np\nimport torch\nfrom lecture_utils.diagrams import draw_network"]
    notebook = new_notebook(cells=[*map(new_code_cell, sources), picture])
    notebook.cells += [new_code_cell("x = np.ones(3)"), new_markdown_cell("torch")]
    adapt(notebook)
    first, shown, kept, words = notebook.cells
    assert first.source == "import numpy as np"
    assert shown.source == f"![A network.](attachment:0.png)\n\n{REMARK}"
    assert shown.attachments["0.png"]["image/png"] == picture.outputs[0].data["image/png"]
    assert (kept.cell_type, words.source) == ("code", "torch")
    nbformat.validate(notebook)


# ---- what is built ----


def test_the_site_holds_the_notebooks_and_the_library(built):
    for path in NOTEBOOKS.rglob("*.ipynb"):
        if "checkpoints" not in str(path):
            assert (built / "files" / path.relative_to(ROOT)).exists(), path
    [wheel] = (built / "static" / "wheels").iterdir()
    config = json.loads((built / "jupyter-lite.json").read_text(encoding="utf-8"))
    settings = config["jupyter-config-data"]["litePluginSettings"][f"{lite.PLUGIN}:kernel"]
    packages = settings["loadPyodideOptions"]["packages"]
    assert packages[-1] == f"../../../../static/wheels/{wheel.name}"
    [worker] = {path.parent for path in (built / "extensions").rglob("remoteEntry*.js")}
    assert (worker / packages[-1]).resolve() == wheel
    assert ("pyodideUrl" in settings) == bool(PYODIDE)


def test_a_lecture_that_cannot_run_says_where_it_does(built):
    path = built / "files" / "notebooks" / "08_vanilla_autoencoder.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert "To be read here" in notebook.cells[1].source
    assert any(cell.get("outputs") for cell in notebook.cells)


def test_the_page_lists_and_opens_the_notebooks(address):
    with (
        open_browser() as browser,
        open_lite(browser, address, "notebooks/08_vanilla_autoencoder.ipynb") as page,
    ):
        page.locator(".jp-DirListing-itemText", has_text="01_kl_divergence").wait_for()
        page.locator(".jp-RenderedMarkdown", has_text="To be read here").first.wait_for()
        assert page.locator(".jp-Dialog").count() == 0


def test_a_folder_that_is_no_pyodide_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"is no Pyodide: it has no pyodide-lock\.json"):
        lite.files_of(tmp_path)
    lock = {"info": {"version": "0.29.1"}, "packages": {}}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    with pytest.raises(Refused, match=r"is Pyodide 0\.29\.1: 0\.27\.x is needed"):
        lite.files_of(tmp_path)


# ---- what runs ----


@pytest.mark.skipif(not PYODIDE, reason="COURSE_PYODIDE names no folder with Pyodide")
@pytest.mark.parametrize("path", RUN_THERE)
def test_a_notebook_runs_to_its_last_tick(built, address, path):
    stored = printed(nbformat.read(built / "files" / path, as_version=4))
    with open_browser() as browser, open_lite(browser, address, path) as page:
        notebook = run_all(page)
        assert page.asked == []
    assert errors_in(notebook) == []
    assert printed(notebook) == stored
