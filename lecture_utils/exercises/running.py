"""Run a student's function: for a limited time, and without its prints drowning the verdict."""

import contextlib
import ctypes
import io
import sys
import threading
import time
import warnings

import numpy as np


class TimeUp(BaseException):
    """Raised inside an answer that runs too long; `except Exception` does not catch it."""

    raised = 0  # how often it came through to an answer

    def __init__(self, *arguments):
        super().__init__(*arguments)
        TimeUp.raised += 1


def computed_here():
    """Seconds that this process has computed."""
    return time.process_time()


# Whose computing is limited. Where an answer runs in another process, this is that process's.
clock = [computed_here]


def computed():
    return clock[0]()


FINISHED, STOPPED, WAITING, STUBBORN = "finished", "stopped", "waiting", "stubborn"


def run_limited(work, seconds):
    """Run `work()` in a thread of its own and stop it after `seconds` of computing.

    A thread, because it works on every system and in every kernel; a signal does not. Computing,
    because a right answer must also pass where other users slow the machine down, as on Binder; by
    the clock it gets ten times as long, or three times when it only waits. Imports do not count.

    Returns
    -------
    FINISHED, or STOPPED when the time was up, WAITING when the thread will stop as soon as a long
    call such as a sleep returns, STUBBORN when it catches whatever should stop it.
    """

    def work_until_time_is_up():
        with contextlib.suppress(TimeUp):
            work()

    thread = threading.Thread(target=work_until_time_is_up, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # a browser's Python has no threads
        return _run_watched(work, seconds)
    try:
        begun, computed_before = time.monotonic(), computed()
        while thread.is_alive():
            thread.join(0.02)
            frame = sys._current_frames().get(thread.ident)
            if _imports(frame):  # stopped half way, a module would be unusable in this kernel
                begun, computed_before = time.monotonic(), computed()
            spent, waited = computed() - computed_before, time.monotonic() - begun
            computes = spent > waited / 50
            if spent > seconds or waited > (10 if computes else 3) * seconds:
                break
        finished = not thread.is_alive()
    finally:  # also when the student interrupts the kernel while waiting
        how = _stop(thread)
    return FINISHED if finished else how


def _imports(frame):
    """Whether a frame is inside an `import`."""
    while frame:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _stop(thread, seconds=1.0):
    """Raise `TimeUp` in the thread until it ends: a bare `except:` in a loop catches some."""
    before, end = TimeUp.raised, time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp)
        )
        thread.join(0.0005)
    if not thread.is_alive():
        return STOPPED
    return STUBBORN if TimeUp.raised > before else WAITING


def _run_watched(work, seconds):
    """Run `work()` here, and look at the clock at each of its lines.

    Watching slows an answer down, so by the clock it gets three times as long. One long call into
    compiled code, such as a sleep, ends only by itself.
    """
    watch, finished = _Watch(3 * seconds), False
    watch.begin()
    try:
        work()
        finished = True
    except TimeUp:
        pass
    finally:
        watch.end()
    return FINISHED if finished else STOPPED


class _Watch:
    """Raises `TimeUp` at each line that is begun after `seconds`."""

    TOOL = 4  # of the numbers that Python has for such tools, one that no known tool takes

    def __init__(self, seconds):
        self.seconds = seconds

    def look(self):
        if time.monotonic() > self.time_up:
            if _imports(sys._getframe(1)):
                self.time_up = time.monotonic() + self.seconds
            else:
                raise TimeUp

    def begin(self):
        self.time_up = time.monotonic() + self.seconds
        if sys.version_info < (3, 12):
            self.before = sys.gettrace()
            sys.settrace(self._trace)
            return
        monitoring = sys.monitoring
        monitoring.use_tool_id(self.TOOL, "exercises")
        for event in (monitoring.events.LINE, monitoring.events.JUMP):
            monitoring.register_callback(self.TOOL, event, self._see)
        monitoring.set_events(self.TOOL, monitoring.events.LINE | monitoring.events.JUMP)

    def end(self):
        if sys.version_info < (3, 12):
            sys.settrace(self.before)
            return
        sys.monitoring.set_events(self.TOOL, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.free_tool_id(self.TOOL)

    def _see(self, code, *_):
        if code.co_filename == __file__:  # not in what ends the watch
            return sys.monitoring.DISABLE
        return self.look()

    def _trace(self, *_):  # once it has raised, Python does not call it again
        self.look()
        return self._trace


class FirstLines(io.StringIO):
    """A text stream that keeps the beginning of what is written: a loop may print without end."""

    KEPT_CHARACTERS = 2_000
    SHOWN_LINES = 3
    SHOWN_WIDTH = 80

    def write(self, text):
        super().write(text[: max(self.KEPT_CHARACTERS - self.tell(), 0)])
        return len(text)

    def lines(self):
        """At most four short lines that say what was printed; none when nothing was."""
        lines = self.getvalue().splitlines()
        shown = [f"  printed: {line[: self.SHOWN_WIDTH]}" for line in lines[: self.SHOWN_LINES]]
        return shown + ["  printed: ..."] * (len(lines) > self.SHOWN_LINES)


@contextlib.contextmanager
def prints_kept():
    """Catch what is printed and warned inside the block; gives the `FirstLines` that hold it."""
    printed = FirstLines()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # the verdict says what is wrong, and in which case
        yield printed


@contextlib.contextmanager
def numpy_untouched():
    """Give numpy's seed and print options back as they were: an answer may change both."""
    state = np.random.get_state()
    with np.printoptions():
        try:
            yield
        finally:
            np.random.set_state(state)
