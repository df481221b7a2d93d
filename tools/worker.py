"""Runs the cells of one submission and then calls its functions when the judge asks for them.

Started in a sandbox by `tools.isolation`, with a copy of this file and of `channel.py` beside it.
It knows no right answer: the judge is another process, and `check` here only notes what was handed
to it. Whatever a submission does to this process, the judge sees numbers, or none.

python worker.py '{"paths": [...], "source": 3, "target": 4, "limits": {...}}'
"""

import json
import os
import sys
import types
import warnings
from contextlib import suppress

OPTIONS = json.loads(sys.argv[1])
sys.path[:0] = OPTIONS["paths"]

import numpy as np  # noqa: E402  (where it lies is known only now)
from channel import Exchange, said  # noqa: E402

MOST_CHECKS = 200  # that one notebook may call


def limit_resources(limits):
    """Limit what this process and its children may take; "memory" is bytes that they write."""
    import resource

    for name, value in {"CORE": 0, **limits}.items():
        with suppress(ValueError, OSError):  # a system may allow less than we do
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def close_ears_and_mouth():
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


class Notebook:
    """What a submission's cells see of IPython and of the exercises."""

    def __init__(self):
        self.space = {"__name__": "__main__", "display": lambda *shown, **how: None}
        self.space["get_ipython"] = lambda: self
        self.cell, self.checked = 0, []
        exercises = types.ModuleType("lecture_utils.exercises")
        exercises.check, exercises.hint = self.check, lambda name: None
        sys.modules["lecture_utils.exercises"] = exercises
        with suppress(ImportError):  # so that `import lecture_utils.exercises` finds it, too
            import lecture_utils

            lecture_utils.exercises = exercises

    def check(self, name, function):
        if len(self.checked) < MOST_CHECKS:
            self.checked.append((self.cell, str(name)[:80], function))

    def run(self, number, source):
        """Run a cell; return what it raised, or None."""
        self.cell = number
        try:
            exec(compile(source, f"<cell {number + 1}>", "exec"), self.space)
        except BaseException as error:  # SystemExit, too: the next cells still run
            return said(error)
        return None

    def run_line_magic(self, name, line, *more):
        return None

    def run_cell_magic(self, name, line, cell):
        if name in ("time", "capture", "timeit"):
            exec(compile(cell, f"<cell {self.cell + 1}>", "exec"), self.space)

    def system(self, command):
        return None

    getoutput = system


def main():
    channel = Exchange(OPTIONS["source"], OPTIONS["target"], inside=True)
    limit_resources(OPTIONS["limits"])
    close_ears_and_mouth()
    np.seterr(all="ignore")
    notebook = Notebook()
    channel.send({"ready": True})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, source in enumerate(channel.receive()["cells"]):
            channel.send({"cell": number, "raised": notebook.run(number, source)})
        checked = [[cell, name, channel.encode(value)] for cell, name, value in notebook.checked]
        channel.send({"checked": checked})
        while True:
            channel.serve(channel.receive())


if __name__ == "__main__":
    main()
