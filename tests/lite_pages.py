"""JupyterLite as a reader meets it: served from this machine, in a Chromium without a network."""

import functools
import http.server
import re
import threading
from contextlib import contextmanager
from urllib.parse import urljoin

import nbformat

READY = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.context?.isReady && panel.content.widgets.length > 0;
}"""
IDLE = """() => {
    const context = window.jupyterapp.shell.currentWidget.sessionContext;
    return context.session?.kernel && context.kernelDisplayStatus === 'idle';
}"""
RUN_ALL = """() => { window.ranAll = null;
    jupyterapp.commands.execute('notebook:run-all-cells').then((ok) => { window.ranAll = !!ok; });
}"""
NOTEBOOK = "JSON.stringify(jupyterapp.shell.currentWidget.context.model.toJSON())"


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve `folder` on this machine, and give the address."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def open_lite(browser, address, path):
    """Open the notebook `path` in JupyterLite; `page.asked` lists the requests to the outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.asked = []
    local = (urljoin(address, "/"), "data:", "blob:", "attachment:")
    context.on(
        "request",
        lambda request: None if request.url.startswith(local) else page.asked.append(request.url),
    )
    try:
        page.goto(f"{address}/lab/index.html?path={path}")
        page.wait_for_function(READY, timeout=60_000)
        yield page
    finally:
        context.close()


def run_all(page, seconds=300):
    """Run all cells; return the notebook as it is then."""
    page.wait_for_function(IDLE, timeout=120_000)
    page.evaluate(RUN_ALL)
    page.wait_for_function("window.ranAll !== null", timeout=1000 * seconds)
    return nbformat.reads(page.evaluate(NOTEBOOK), as_version=4)


def errors_in(notebook):
    return [
        f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def printed(notebook):
    """What each code cell printed, by the cell's id, without colours."""
    return {
        cell.id: re.sub(
            r"\x1b\[[\d;]*m",
            "",
            "".join(o.text for o in cell.outputs if o.get("name") == "stdout"),
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
