"""Several notebooks at once, the longest first, so that Ctrl-C leaves no process behind."""

import math
import os
import re
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

import psutil
from tqdm import tqdm

from tools.course import ROOT, code_cells
from tools.kernels import execute, note_memory

SIGNALS = (signal.SIGINT, signal.SIGTERM)
N_AT_ONCE = min(os.cpu_count() or 1, 4)


def run_command(main):
    """Run the `main` of a command, let signals interrupt it, and exit with its status."""
    interrupt_on_signals()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that cannot show ‖ still shows the table
    sys.exit(main())


def interrupt_on_signals():
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, once."""
    for number in SIGNALS:
        signal.signal(number, interrupt)


def interrupt(signal_number, frame):
    """Stop the program once; further signals would only disturb the cleaning up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def interrupts_noted():
    """Yield an event that SIGINT and SIGTERM set; KeyboardInterrupt is raised at the end.

    Raised at once it could hit between two steps that belong together: a thread that has started
    and is in no list yet, a lock that is held.
    """
    interrupted = threading.Event()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, lambda signal_number, frame: interrupted.set())
    try:
        yield interrupted
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN if interrupted.is_set() else before[number])
    if interrupted.is_set():
        raise KeyboardInterrupt


def execute_all(runs):
    """Execute the notebooks, several at once.

    This thread draws the bar and looks at the kernels' memory meanwhile.
    """
    n_cells = sum(len(code_cells(run.notebook.cells)) for run in runs)
    with tqdm(total=n_cells, unit="cell") as bar, interrupts_noted() as interrupted:

        def watch(n_done):
            for run in runs:
                note_memory(run)
            bar.update(sum(run.cells_done for run in runs) - bar.n)

        run_in_threads(execute, longest_first(runs), watch, interrupted)


def longest_first(runs):
    """Return the runs in the order in which they start: no long one is left to run alone.

    What TEACHING.md does not know comes first, later lectures before earlier ones: they build on
    those and take longer. Solutions take seconds and come last.
    """
    seconds = measured_seconds()

    def expected(run):
        is_lecture, number = "/" not in run.name, run.source.name[:2]
        return is_lecture, seconds.get(number, math.inf), run.source.name

    return sorted(runs, key=expected, reverse=True)


def measured_seconds():
    """Return the seconds that TEACHING.md's table says a lecture takes, by its number."""
    try:
        text = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    except OSError:
        return {}
    return {
        number: int(seconds)
        for number, seconds in re.findall(r"(?m)^\| (\d\d) \|.*\| *(\d+) s *\|", text)
    }


def run_in_threads(function, items, watch, interrupted):
    """Return `function(item)` of each item, several at once; no process outlives an interrupt.

    This thread calls `watch(number of items done)` five times a second. When the event
    `interrupted` is set, what has not started is left out and all processes are killed.
    """
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        jobs = [pool.submit(function, item) for item in items]
        pending = jobs
        while pending and not interrupted.is_set():
            pending = wait(pending, timeout=0.2).not_done
            watch(len(jobs) - len(pending))
        if interrupted.is_set():
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(job.done() for job in jobs):
                kill_children()  # again and again: a kernel may just be starting
                time.sleep(0.1)
            return []
    return [job.result() for job in jobs]


def kill_children():
    """End every process that this one started, and theirs.

    A kernel leads a process group of its own, which goes as a whole: a process that the kernel
    starts at this moment is in no list yet, but in the group.
    """
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if psutil.POSIX and os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
