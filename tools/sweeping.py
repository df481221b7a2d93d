"""One run of a sweep: a lecture with other parameters, past its failing claims, in a kernel."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import nbformat
import psutil

from tools.course import NOTEBOOKS, first_line
from tools.kernels import kernel
from tools.parameters import inject
from tools.results import failures_of, n_confirmed, numbers_of

NOT_RUN = "not run: "
running = set()  # of kernels of this process, by their process number


@dataclass(frozen=True)
class Task:
    """What one run needs, wherever it runs."""

    name: str
    text: str  # the notebook
    values: tuple  # of (parameter, value)
    course: str  # fingerprint of the library that it is meant for


def run(task, stopped=threading.Event):
    """Run a lecture and return what came of it, a dict that JSON can hold.

    Parameters
    ----------
    task : Task
    stopped : function
        `stopped()` is an event; when it is set, the kernel is killed.
    """
    begun = time.perf_counter()
    notebook = nbformat.reads(task.text, as_version=4)
    if task.values:
        notebook = inject(notebook, dict(task.values))
    options = {"timeout": None, "record_timing": False, "coalesce_streams": True}
    try:
        with (
            kernel(notebook, NOTEBOOKS, allow_errors=True, **options) as client,
            watched(client.km.provisioner.pid, stopped()),
        ):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
    except Exception as error:  # whatever it was, the other runs go on
        return {"not run": f"{NOT_RUN}{type(error).__name__}: {first_line(str(error))}"}
    return {
        "seconds": round(time.perf_counter() - begun, 1),
        "confirmed": n_confirmed(notebook),
        "failed": failures_of(notebook),
        "numbers": numbers_of(notebook),
    }


class watched:
    """Kills the kernel `pid` as soon as the event is set, while the block runs."""

    def __init__(self, pid, stopped):
        self.pid, self.stopped, self.over = pid, stopped, threading.Event()

    def __enter__(self):
        running.add(self.pid)
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *error):
        self.over.set()
        running.discard(self.pid)

    def _watch(self):
        while not self.over.is_set():
            if self.stopped.wait(0.2):
                with suppress(psutil.Error):
                    family = psutil.Process(self.pid).children(recursive=True)
                    for process in [psutil.Process(self.pid), *family]:
                        process.kill()
                return
