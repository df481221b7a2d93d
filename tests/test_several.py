"""Interrupts while several things run at once."""

import subprocess
import sys
import textwrap

import pytest
from conftest import ROOT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send itself Ctrl-C alone")
def test_an_interrupt_between_two_starts_leaves_nothing_behind():
    script = """
        import os, signal, subprocess
        from tools.several import interrupts_noted, run_in_threads

        def seconds():
            yield 300
            for _ in range(2):  # Ctrl-C twice, while the first is running
                os.kill(os.getpid(), signal.SIGINT)
            yield 301

        def sleep(n):
            subprocess.run(["sleep", str(n)])  # holds this script's output until it is killed

        try:
            with interrupts_noted() as interrupted:
                run_in_threads(sleep, seconds(), print, interrupted)
        except KeyboardInterrupt:
            print("stopped")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")


def test_without_an_interrupt_all_results_come_in_order():
    script = """
        from tools.several import interrupts_noted, run_in_threads

        with interrupts_noted() as interrupted:
            print(run_in_threads(lambda n: n * n, [3, 1, 2], lambda n_done: None, interrupted))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[9, 1, 4]\n", "")
