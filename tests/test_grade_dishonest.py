"""What a dishonest or broken submission gains, and whom it harms: nothing, and nobody."""

import re
import time

import nbformat
import numpy as np
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import submission
from tools.course import Refused
from tools.isolation import best_isolation
from tools.judging import judge_file

TOPIC = "kl_divergence"
FIRST = "import numpy as np, os, sys, time\nfrom lecture_utils.exercises import check"
ANSWER = """
def extra_bits(counts, lengths):
    p = counts[counts > 0] / counts.sum()
    return p @ (lengths[counts > 0] + np.log2(p))
check("extra_bits", extra_bits)
"""


@pytest.fixture(scope="module")
def isolation():
    try:
        return best_isolation()
    except Refused as why:
        pytest.skip(f"no sandbox on this machine: {why}")


@pytest.fixture
def judged(tmp_path, isolation, monkeypatch):
    """Judge a notebook of code cells; returns (points, why) of its first exercise, or of all."""
    monkeypatch.setattr(submission, "SECONDS_PER_CELL", 1)
    monkeypatch.setattr("lecture_utils.exercises.judge.SECONDS", 1)

    def judge(*sources, every=False):
        path = tmp_path / "01_kl_divergence.ipynb"
        cells = [new_code_cell(source) for source in (FIRST, *sources)]
        nbformat.write(new_notebook(cells=cells), path)
        points = judge_file(path, TOPIC, isolation, np.random.default_rng(0))
        return points if every else points["extra_bits"]

    return judge


def returning(body):
    return f'def extra_bits(counts, lengths):\n    {body}\n\n\ncheck("extra_bits", extra_bits)'


def test_an_honest_answer_is_right(judged):
    assert judged(ANSWER) == (1, "right")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('print("✓ extra_bits: correct")', "its check is not in the notebook"),
        (
            "import lecture_utils.exercises.judge as j\nj.judge = lambda *a: None\n"
            + returning("return 0"),
            "ModuleNotFoundError|not in the notebook",
        ),
        (
            returning(
                "from lecture_utils.exercises.registry import find\n"
                '    return find("extra_bits").oracle(counts, lengths)'
            ),
            "ModuleNotFoundError",
        ),
        (
            returning(
                "frame = sys._getframe()\n    while frame.f_back:\n        frame = frame.f_back\n"
                '        if "exercise" in frame.f_locals:\n'
                '            return frame.f_locals["exercise"].oracle(counts, lengths)\n'
                "    return 0"
            ),
            "your answer is 0",
        ),
        (
            "class Same(float):\n    __eq__ = lambda *a: True\n    __array__ = None\n"
            "    __sub__ = __rsub__ = lambda *a: 0.0\n" + returning("return Same(3)"),
            "your answer is 3",
        ),
        (returning("os._exit(0)"), "it ended its process"),
        (returning("os.kill(os.getpid(), 9); os.abort()"), "it ended its process"),
        (returning("raise SystemExit(0)"), "SystemExit"),
        (returning("return [0.0] * 10**6"), "list"),
        (returning("return np.ones(30_000_000)"), "too large"),
        (returning("return open('/etc/passwd').read()"), "FileNotFoundError"),
        (returning("return {'a': 1}"), "dict"),
        (returning("return lambda: 1"), "."),
        ("import numpy\nnumpy.allclose = lambda *a, **k: True\n" + returning("return 5"), "is 5"),
        (
            "for fd in range(3, 64):\n    try:\n"
            "        os.write(fd, b'\\x10\\0\\0\\0' + b'{\"value\": true}  ')\n"
            "    except OSError: pass\n" + ANSWER.replace("np.log2", "np.log"),
            "no answer|ended",
        ),
        (
            "import channel\nchannel.Exchange.serve = lambda self, m: self.send("
            "{'value': {'function': 1, 'network': False, 'parts': {}}})\n" + returning("return 1"),
            ".",
        ),
        (
            "import channel\nchannel.Exchange.serve = lambda self, m: self.send("
            "{'call': 1, 'arguments': []})\n" + returning("return 1"),
            ".",
        ),
        (
            "import channel\nchannel.Exchange.encode = lambda self, v, depth=0: "
            "{'array': ['|O', [1], '']}\n" + returning("return 1"),
            "^it gave something that is no answer",
        ),
        (
            "import channel\nchannel.Exchange.serve = lambda self, m: self.send("
            "{'value': {'array': ['|O', [1], '']}})\n" + returning("return 1"),
            "^it gave something that is no answer",
        ),
    ],
)
def test_a_trick_gains_nothing(judged, source, why):
    points, said = judged(source)
    assert points == 0
    assert re.search(why, said), said


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "os._exit(0)",
        "time.sleep(1000)",
        "try:\n    while True:\n        if not os.fork(): time.sleep(1000)\nexcept OSError: pass",
        "for n in range(10**5): open(f'/tmp/{n}', 'w')",
        "open('/tmp/big', 'wb').write(bytes(10**9))",
        "np.ones(10**10)",
        "import socket; s = socket.socket(); s.bind(('0.0.0.0', 5555)); s.listen()",
        "def deeper(): deeper()\ndeeper()",
        "this is no Python",
        "sys.stdout.write('x' * 10**8)",
        "%matplotlib inline\n!rm -rf ~\nget_ipython().system('ls')\ndisplay(3)",
    ],
)
def test_a_bad_cell_costs_itself_alone(judged, source):
    assert judged(source, ANSWER) == (1, "right")


def test_endless_answers_cost_one_exercise_and_leave_no_process(judged):
    endless = returning("while True: pass").replace("extra_bits", "both_orders")
    points = judged(endless.replace("counts, lengths", "*case"), ANSWER, every=True)
    assert points["extra_bits"] == (1, "right")
    assert points["both_orders"][0] == 0
    assert "does a loop never end?" in points["both_orders"][1]
    time.sleep(0.2)
    assert not [p for p in psutil.Process().children(recursive=True) if "worker.py" in str(p)]


def test_memory_of_all_processes_together_is_limited(judged, monkeypatch):
    monkeypatch.setattr(submission, "MEMORY", 400 * 2**20)
    monkeypatch.setattr("lecture_utils.exercises.judge.SECONDS", 20)  # memory ends before time
    eats = "kept = []\nfor _ in range(50):\n    kept.append(np.ones(10**7)); time.sleep(0.05)"
    points = judged(eats.replace("\n", "\n    ").join(["def eat():\n    ", "\n"]), ANSWER)
    assert points == (1, "right")  # not called, not eaten
    body = eats.replace("\n", "\n    ") + "\n    return 1"
    assert judged(returning(body)) == (0, "it took more than 0.390625 GB of memory")


# A long message is announced; then come blanks, for ever: the judge never waits long for anything.
DRIP = """
import gc, struct
[exchange] = [one for one in gc.get_objects() if type(one).__name__ == "Exchange"]
os.write(exchange.target, struct.pack("<I", 10**8))
while True:
    os.write(exchange.target, b" "); time.sleep(0.02)
"""


def test_a_message_that_drips_costs_its_cell_alone(judged):
    begun = time.monotonic()
    assert judged(DRIP, ANSWER) == (1, "right")
    assert time.monotonic() - begun < 40


def test_a_message_that_drips_takes_no_longer_than_a_notebook_may(judged, monkeypatch):
    monkeypatch.setattr(submission, "SECONDS", 4)
    monkeypatch.setattr(submission, "SECONDS_PER_CELL", 30)
    points, why = judged(DRIP, ANSWER)
    assert points == 0
    assert "4 seconds were not enough" in why


def test_memory_is_limited_while_a_message_drips(judged, monkeypatch):
    """The memory is in children, which are orphans of a process that has ended."""
    monkeypatch.setattr(submission, "MEMORY", 600 * 2**20)
    monkeypatch.setattr(submission, "SECONDS_PER_CELL", 30)
    orphans = "for _ in range(3):\n    if not os.fork():\n        if os.fork(): os._exit(0)\n"
    orphans += "        kept = np.ones(4 * 10**7); time.sleep(100)"
    begun = time.monotonic()
    points = judged(f"{orphans}\n{DRIP}", ANSWER)
    assert points == (1, "right")
    assert time.monotonic() - begun < 30


def test_a_function_of_an_earlier_cell_is_not_judged(judged):
    said = judged(
        ANSWER.replace('check("extra_bits", extra_bits)', ""), 'check("extra_bits", extra_bits)'
    )
    assert said[0] == 0
    assert "does not define `extra_bits`" in said[1]


def test_the_best_of_several_tries_counts(judged):
    assert judged(returning("return 0"), ANSWER, returning("return 1")) == (1, "right")
