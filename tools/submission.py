"""One submission: its cells run in a sandbox, and what they hand to `check` is called from here."""

import os
import re
import signal
import time
from contextlib import suppress
from tempfile import TemporaryDirectory

import psutil
from IPython.core.inputtransformer2 import TransformerManager

from tools.channel import NO_ANSWER, Broken, Exchange
from tools.isolation import MEMORY

SECONDS_TO_START = 60
SECONDS_PER_CELL = 30  # of computing; by the clock ten times as long, three times when it waits
SECONDS = 900  # by the clock, for all of one notebook
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class OutOfTime(Exception):
    """A notebook has had all the time that one may have."""


class Submission:
    """The cells of a notebook, in a process that is started anew when it ends or hangs."""

    def __init__(self, sources, isolation):
        self.sources = [as_python(source) for source in sources]
        self.isolation = isolation
        self.errors = {}  # by the number of a cell
        self.left_out = {}  # cells that are not run any more, and why
        self.checked = []  # (cell, exercise, function)
        self.end = time.monotonic() + SECONDS
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def ready(self):
        """Let the process be one that ran all cells and waits for calls.

        A cell that does not end, or ends the process, is left out and the rest run anew: the other
        exercises do not depend on it.
        """
        while self.ended() or self.exchange.busy:
            self.close()
            self.start()
            cell = None
            try:
                for number in self.run_cells():
                    cell = number
            except Broken as fault:
                self.close()
                if cell is None or cell in self.left_out:  # not a cell's fault
                    raise
                self.left_out[cell] = str(fault)

    def ended(self):
        return self.process is None or self.process.poll() is not None

    def start(self):
        self.scratch = TemporaryDirectory(prefix="course-grade-")
        self.process, source, target = self.isolation.start(self.scratch.name)
        self.fault, self.looked, self.seconds = "", 0.0, 0.0
        self.limit(SECONDS_TO_START)
        self.exchange = Exchange(source, target, self.watch)
        self.exchange.receive()

    def run_cells(self):
        """Run the cells; yields the number of each before it runs."""
        cells = ["" if n in self.left_out else cell for n, cell in enumerate(self.sources)]
        self.exchange.send({"cells": cells})
        for number in range(len(cells)):
            yield number
            self.limit(SECONDS_PER_CELL)
            raised = self.exchange.receive().get("raised")
            if raised:
                self.errors[number] = ": ".join(str(part)[:200] for part in raised[:2])
        self.limit(SECONDS_PER_CELL)
        checked = self.exchange.receive().get("checked")
        try:
            self.checked = [(int(n), str(name), self.exchange.decode(f)) for n, name, f in checked]
        except Exception as fault:  # whatever a forged message holds
            raise Broken(NO_ANSWER) from fault
        self.limit(None)

    def limit(self, seconds):
        """Allow so many seconds of computing from now on; None leaves that to the judge."""
        self.allowed = seconds
        self.begun, self.computed_before = time.monotonic(), self.computed()

    def watch(self):
        """Look after the process while an answer is awaited; raises when it takes too much."""
        self.computed()
        if time.monotonic() > self.end:
            self.fault = f"{SECONDS} seconds were not enough for the whole notebook"
            self.kill()
            raise OutOfTime(self.fault)
        if self.fault:  # killed already; what it still had in the pipe is not read
            raise Broken(self.fault)
        if self.allowed is None:
            return
        waited = time.monotonic() - self.begun
        spent = self.seconds - self.computed_before
        if spent > self.allowed or waited > (10 if spent > waited / 50 else 3) * self.allowed:
            self.fault = f"no answer after {self.allowed} seconds; does a loop never end?"
            self.kill()
            raise Broken(self.fault)

    def computed(self):
        """Seconds that the process and its children have computed; kills them for their memory."""
        now = time.monotonic()
        if self.process is None or now - self.looked < 0.1:
            return self.seconds
        self.looked, memory, seconds = now, 0, 0.0
        with suppress(psutil.Error):
            for process in [self.process, *self.process.children(recursive=True)]:
                with suppress(psutil.Error):
                    memory += process.memory_info().rss
                    seconds += sum(process.cpu_times()[:2])
        self.seconds = max(self.seconds, seconds)
        if memory > MEMORY and not self.fault:
            self.fault = f"it took more than {MEMORY / 2**30:g} GB of memory"
            self.kill()
        return self.seconds

    def kill(self):
        """End the process, and with it all that it started: it is the first of its namespace."""
        if self.process is not None:
            processes = [self.process]
            with suppress(psutil.Error):
                processes += self.process.children(recursive=True)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()

    def close(self):
        if self.process is None:
            return
        self.kill()
        self.process.wait()
        self.process = None
        for descriptor in (self.exchange.source, self.exchange.target):
            with suppress(OSError):
                os.close(descriptor)
        with suppress(OSError):
            self.scratch.cleanup()


def as_python(source):
    """A cell without what only IPython understands; as it is, where that is not known."""
    try:
        return TransformerManager().transform_cell(source)
    except (SyntaxError, ValueError, RecursionError):
        return source


def why_not_read(path, most_bytes=20_000_000):
    """Why a file is not read as a notebook, or "": a link leads elsewhere, a fifo has no end."""
    if path.is_symlink():
        return "a link: not read"
    if not path.is_file():
        return "not a plain file: not read"
    if path.stat().st_size > most_bytes:
        return "too large to be a notebook: not read"
    return ""


def plain(text):
    """A line that harms neither a terminal nor a spreadsheet."""
    text = CONTROL.sub(" ", text).strip()[:400]
    return f"'{text}" if text[:1] in tuple("=+-@") else text
