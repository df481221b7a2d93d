"""`make lab` as a student and an instructor meet it: JupyterLab in Chromium, the network cut off.

JupyterLab serves a copy of the course, with empty settings of its own, so that nothing here depends
on, or changes, what the user has.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from browser import LOCAL, open_browser, open_page, require_chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import TimeoutError

from lecture_utils.explorers import kl_explorer
from tools.lab import set_environment

require_chromium()

ROOT = Path(__file__).resolve().parents[1]
LECTURES = ["notebooks/00_start_here.ipynb", "notebooks/01_kl_divergence.ipynb"]
LECTURE = LECTURES[1]
TALK = LECTURES[0]  # it shows code on a slide, and takes no time
EXERCISES = "notebooks/exercises/01_kl_divergence.ipynb"
STUB = 'raise NotImplementedError("your code here")'


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it listens, and the folder of the course that it serves."""

    address: str
    token: str
    course: Path

    def url(self, path=""):
        return f"{self.address}/{path}?token={self.token}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    course, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("home")
    for folder in ("notebooks", "tools"):
        shutil.copytree(ROOT / folder, course / folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16), course)
    command = [sys.executable, "-m", "tools.lab", "--no-browser", "--allow-root"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
    ]
    command += [f"--IdentityProvider.token={lab.token}", "--expose-app-in-browser"]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    inherited = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    environment = inherited | {name: str(home / name) for name in folders}
    own_kernel = home / "JUPYTER_DATA_DIR" / "kernels" / "python3" / "kernel.json"
    own_kernel.parent.mkdir(parents=True)  # another Python by the same name, as many users have
    own_kernel.write_text('{"argv": ["false"], "display_name": "other", "language": "python"}')
    log = home / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=course, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_it_answers(lab, process, log)
        yield lab
    finally:
        process.terminate()
        process.wait(30)


def wait_until_it_answers(lab, process, log):
    for _ in range(120):
        try:
            with urllib.request.urlopen(lab.url("api/status"), timeout=5):
                return
        except OSError:
            time.sleep(0.5)
        if process.poll() is not None:
            break
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}", pytrace=False)


@pytest.fixture(scope="module")
def browser(lab):
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(lab, browser):
    allowed = (*LOCAL, lab.address, lab.address.replace("http", "ws"))
    with open_page(browser, height=900, allowed=allowed) as page:
        page.set_default_timeout(60_000)
        yield page


# ---- what a user does in JupyterLab ----


def open_notebook(page, lab, path):
    page.goto(lab.url(f"lab/tree/{path}") + "&reset")  # without the tabs of the test before
    wait_for_notebook(page, path)


def wait_for_notebook(page, path):
    page.wait_for_function(
        """path => {
            const notebook = window.jupyterapp?.shell?.currentWidget;
            return notebook?.context?.path === path && notebook.context.isReady
                && notebook.sessionContext?.session?.kernel?.status === 'idle';
        }""",
        arg=path,
    )


def run_all_cells(page):
    """Run all cells and return the notebook as JupyterLab then has it."""
    page.evaluate("""async () => {
        await jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
        window.hasRun = false;
        jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { hasRun = true });
    }""")
    page.wait_for_function("hasRun")
    # The command is over with the first error; cells that may raise let the others run on.
    with suppress(TimeoutError):
        page.wait_for_function(
            """() => {
                const notebook = jupyterapp.shell.currentWidget;
                return notebook.sessionContext.session.kernel.status === 'idle'
                    && notebook.context.model.toJSON().cells.every(
                        cell => cell.cell_type !== 'code' || !cell.source.length
                            || cell.execution_count !== null);
            }""",
            timeout=15_000,
        )
    model = page.evaluate("jupyterapp.shell.currentWidget.context.model.toJSON()")
    return nbformat.from_dict(model)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]


def errors(cell):
    return [output for output in cell.outputs if output.output_type == "error"]


def questions(page):
    """Dialogs and notifications that are in the user's way."""
    return page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()


# ---- students ----


def test_it_starts_with_the_first_notebook_and_asks_nothing(lab, page):
    page.goto(lab.url())
    wait_for_notebook(page, LECTURES[0])
    page.wait_for_timeout(1500)  # a question comes a moment after the notebook
    assert questions(page) == []
    assert page.troubles == []


@pytest.mark.parametrize("path", LECTURES)
def test_a_lecture_runs_to_its_end(lab, page, path):
    open_notebook(page, lab, path)
    cells = code_cells(run_all_cells(page))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [error for cell in cells for error in errors(cell)] == []
    assert questions(page) == []
    assert page.troubles == []


def test_kernels_use_one_thread(lab, page):
    open_notebook(page, lab, LECTURES[0])
    asked = page.evaluate("""async () => {
        const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        let text = '';
        const names = ['COURSE_THREADS', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'];
        const code = `import os; print([os.environ.get(n) for n in ${JSON.stringify(names)}])`;
        const future = kernel.requestExecute({code, store_history: false});
        future.onIOPub = m => { text += m.content.text ?? '' };
        await future.done;
        return text;
    }""")
    assert asked.strip() == "['1', '1', '1']"


def test_the_student_copy_runs_to_its_last_cell(lab, page):
    open_notebook(page, lab, EXERCISES)
    cells = code_cells(run_all_cells(page))
    assert [cell.source for cell in cells if not cell.execution_count] == []
    for cell in cells:
        assert bool(errors(cell)) == (STUB in cell.source), cell.source
    assert sum(STUB in cell.source for cell in cells) >= 2
    lines = [error.traceback for cell in cells for error in errors(cell)]
    assert all(len(shown) == 1 and "not yet" in shown[0] for shown in lines), lines
    assert questions(page) == []
    assert page.troubles == []


def test_a_wrong_answer_shows_one_line_and_no_traceback(lab, page):
    open_notebook(page, lab, EXERCISES)
    notebook = run_all_cells(page)
    number = next(i for i, cell in enumerate(notebook.cells) if STUB in cell.source)
    cell = page.locator(f".jp-Cell[data-windowed-list-index='{number}']")
    cell.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(notebook.cells[number].source.replace(STUB, "return -1.0"))
    page.keyboard.press("Shift+Enter")
    output = cell.locator(".jp-OutputArea-output")
    output.get_by_text("not yet").wait_for(state="detached")
    output.wait_for()
    text = output.inner_text().strip()
    assert len(text.splitlines()) == 1, text
    assert "Traceback" not in text
    assert "^" not in text


# ---- settings ----


def test_the_users_own_settings_and_wishes_come_through(monkeypatch, tmp_path):
    theirs = {"COURSE_THREADS": "3", "JUPYTER_CONFIG_PATH": "theirs"}
    monkeypatch.setattr(os, "environ", theirs)
    set_environment(tmp_path)
    assert theirs["OMP_NUM_THREADS"] == theirs["OPENBLAS_NUM_THREADS"] == "3"
    assert theirs["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(tmp_path), "theirs"]


# ---- the explorer in an untrusted notebook, and in a trusted one ----


def test_a_picture_stands_in_for_the_explorer_until_its_cell_is_run(lab, page):
    source = "from lecture_utils.explorers import kl_explorer\n\nkl_explorer()"
    output = nbformat.v4.new_output("execute_result", execution_count=1)
    output.data = {"text/html": kl_explorer().data, "text/plain": "<IPython.core.display.HTML>"}
    cell = nbformat.v4.new_code_cell(source, execution_count=1, outputs=[output])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.course / "notebooks" / "explorer.ipynb")

    open_notebook(page, lab, "notebooks/explorer.ipynb")
    picture = page.get_by_role("img", name="The densities of P, Q")
    assert picture.is_visible()
    assert picture.bounding_box()["height"] > 200
    assert page.get_by_text("KL(P‖Q), nats 0.5000").is_visible()
    run_all_cells(page)
    frame = page.frame_locator(".jp-OutputArea iframe")
    frame.locator("#Q").press("ArrowRight")
    assert frame.locator("#Q-text").inner_text() == "mean 1.10, std 1.00"
    assert not picture.is_visible()
    assert page.troubles == []


# ---- instructors ----


def test_the_live_talk(lab, page):
    open_notebook(page, lab, TALK)  # as the README says: run all, then talk
    notebook = run_all_cells(page)
    page.goto(lab.url(f"rise/{TALK}"))
    page.locator(".reveal .slides section.present").first.wait_for()
    n_slides = sum(c.metadata.slideshow.slide_type == "slide" for c in notebook.cells)
    assert page.locator(".reveal .slides > section").count() == n_slides
    title = page.get_by_role("heading", level=1).first
    assert title.is_visible()
    page.keyboard.press("Space")
    page.wait_for_url("**#/slide-1-0")
    title.wait_for(state="hidden")

    open_code = page.locator("section.present .jp-CodeCell:has(.jp-InputArea-editor:visible)")
    for _ in range(40):  # on to the first slide that shows code
        if open_code.count():
            break
        page.keyboard.press("Space")
        page.wait_for_timeout(200)
    cell = open_code.first
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    prompt.click()
    page.keyboard.press("Shift+Enter")
    prompt.filter(has_not_text=before).filter(has_text=re.compile(r"\d")).wait_for()
    assert cell.locator(".jp-RenderedText[data-mime-type$=stderr]").count() == 0
    notes = page.get_by_text("Speaker's note", exact=True)
    assert notes.count() > 0
    assert not any(note.is_visible() for note in notes.all())
    assert questions(page) == []
    # RISE writes errors of its own to the console, and looks for style sheets that need not exist.
    serious = ("asks the outside", "page error")
    assert [trouble for trouble in page.troubles if trouble.startswith(serious)] == []


def test_what_is_folded_and_unfolded_in_the_live_talk(lab, page):
    """Words for the slide alone are shown, notes and the code of figures are not."""
    fold = "<details><summary>{}</summary>\n\n{}\n\n</details>"
    slide = {"slideshow": {"slide_type": "slide"}}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A talk", metadata=slide),
            new_markdown_cell(
                fold.format("On the slide", "Few words."),
                metadata={"slideshow": {"slide_type": "-"}, "tags": ["slide-only"]},
            ),
            new_markdown_cell(
                fold.format("Speaker's note", "Say it."),
                metadata={"slideshow": {"slide_type": "notes"}},
            ),
            new_markdown_cell("Which one?\n\n" + fold.format("Answer", "This one.")),
            new_code_cell("hidden = 1", metadata={"jupyter": {"source_hidden": True}}),
        ]
    )
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    path = "notebooks/99_talk.ipynb"
    nbformat.write(notebook, lab.course / path)
    page.goto(lab.url(f"rise/{path}"))
    page.get_by_role("heading", level=1).first.wait_for()
    shown = page.locator(".present")
    assert shown.locator("p", has_text="Few words.").is_visible()
    assert shown.locator("summary", has_text="Answer").is_visible()
    for hidden in ("On the slide", "Speaker's note", "Say it.", "This one.", "hidden = 1"):
        assert not any(found.is_visible() for found in shown.get_by_text(hidden).all()), hidden
    shown.locator("summary", has_text="Answer").click()
    shown.locator("p", has_text="This one.").wait_for()
