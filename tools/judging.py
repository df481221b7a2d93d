"""Judge one submission, in a process of its own that prints the points as JSON.

The judge runs here and never in the submission's process, which it asks for numbers (`submission`).

python -m tools.judging FILE TOPIC ISOLATION USER
"""

import json
import re
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from lecture_utils.exercises import running
from lecture_utils.exercises.cell import leftover
from lecture_utils.exercises.exercise import NotYet, Wrong
from lecture_utils.exercises.judge import judge
from lecture_utils.exercises.registry import TOPICS, find
from tools.channel import TOO_LARGE, Broken
from tools.course import Refused, code_cells, read
from tools.isolation import MEMORY, Isolation
from tools.submission import OutOfTime, Submission, plain, why_not_read

RIGHT, NOT_YET = "right", "not yet"
MISSING = "its check is not in the notebook"
CHECK = re.compile(r"""\bcheck\(\s*["'](\w+)["']""")


def main():
    file, topic, kind, user = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    limit_memory()
    isolation = Isolation(kind, int(user))
    points = judge_file(Path(file), topic, isolation, np.random.default_rng())
    print(json.dumps(points))


def limit_memory():
    """Let the judge take as much as a submission, whatever that sends: others run beside it."""
    with suppress(ValueError, OSError):  # a system may allow less than we do
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def judge_file(path, topic, isolation, rng):
    """Return (points, why) by exercise of `topic` for the notebook in the file `path`."""
    names = TOPICS[topic]
    if fault := why_not_read(path):
        return dict.fromkeys(names, (0, fault))
    try:
        sources = [cell.source for cell in code_cells(read(path).cells)]
    except Refused as fault:
        return dict.fromkeys(names, (0, plain(str(fault).replace(str(path), path.name))))
    with Submission(sources, isolation) as submission:
        running.clock[0] = submission.computed
        points = {}
        for name in names:
            try:
                points[name] = judge_exercise(name, submission, rng)
            except OutOfTime as fault:
                points[name] = (0, str(fault))
    return {name: (number, plain(why)) for name, (number, why) in points.items()}


def judge_exercise(name, submission, rng):
    """Judge what the notebook hands to `check` for one exercise; the best of several tries."""
    attempt, said = 0, ""
    while True:
        try:
            submission.ready()
        except Broken as fault:
            return 0, said or str(fault)
        answers = [(cell, f) for cell, checked, f in submission.checked if checked == name]
        if attempt >= len(answers):
            return 0, said or why_not_checked(name, submission)
        cell, function = answers[attempt]
        said = verdict(name, cell, function, submission, rng)
        if said == RIGHT:
            return 1, RIGHT
        attempt += 1


def verdict(name, cell, function, submission, rng):
    """Say what the judge says of `function`, which cell number `cell` handed to `check`."""
    if cell in range(len(submission.sources)):
        answer = leftover(name, submission.sources[cell])
        if answer:
            return f"its cell does not define `{answer}`: the one in memory is from another cell"
    submission.exchange.is_stub, submission.exchange.broken = False, ""
    try:
        judge(find(name), function, rng)
    except NotYet:
        return NOT_YET
    except Wrong as wrong:
        if submission.exchange.is_stub:
            return NOT_YET
        broken = submission.fault or submission.exchange.broken
        return broken or str(wrong).removeprefix(f"✗ {name}: ")
    except MemoryError:  # of the judge, which compares
        return TOO_LARGE
    return submission.fault or RIGHT


def why_not_checked(name, submission):
    """Say why `check` was not called for an exercise: its cell failed, or is not there."""
    for number, source in enumerate(submission.sources):
        if name in CHECK.findall(source):
            fault = submission.left_out.get(number) or submission.errors.get(number)
            if fault:
                return fault
    return MISSING


if __name__ == "__main__":
    main()
