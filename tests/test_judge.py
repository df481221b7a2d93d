"""The judge takes right answers of any type, survives any answer, and says nothing false."""

import contextlib
import functools
import itertools
import re
import sys
import time
import warnings
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from lecture_utils.exercises import check, feedback, judge, running
from lecture_utils.exercises.exercise import Exercise, NotYet, Wrong
from lecture_utils.exercises.registry import NAMES, find

extra_bits = find("extra_bits").oracle
both_orders = find("both_orders").oracle


@pytest.fixture(autouse=True)
def no_attempts():
    feedback._wrong_attempts.clear()


def told(answer, name="extra_bits"):
    """The line that a wrong answer gets."""
    with pytest.raises(Wrong) as caught:
        check(name, answer)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"✗ {name}: ")


# Right answers of any type --------------------------------------------------------------------


def torch():
    return pytest.importorskip("torch")


TYPES = {
    "float": float,
    "Fraction": Fraction,
    "Decimal": Decimal,
    "0-d": np.array,
    "object": lambda bits: np.array(Fraction(bits), dtype=object),
    "longdouble": np.longdouble,
    "complex without imaginary part": lambda bits: complex(bits, 0.0),
    "complex128": np.complex128,
    "tensor": lambda bits: torch().tensor(bits, dtype=torch().float64),
    "tensor with gradient": lambda bits: torch().tensor(
        bits, dtype=torch().float64, requires_grad=True
    ),
    "complex tensor": lambda bits: torch().tensor(complex(bits, 0), dtype=torch().complex128),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_right_number_passes_whatever_its_type(kind, capsys):
    check("extra_bits", lambda counts, lengths: TYPES[kind](extra_bits(counts, lengths)))
    check("both_orders", lambda *case: list(map(TYPES[kind], both_orders(*case))))
    needed = find("components_needed").oracle
    check("components_needed", lambda *case: [TYPES[kind](float(v)) for v in needed(*case)])
    assert capsys.readouterr().out.count(": correct\n") == 3


WHOLE = {
    "list": list,
    "array": np.array,
    "object array": lambda row: np.array([Fraction(v) for v in row], dtype=object),
    "list of 0-d arrays": lambda row: [np.array(v) for v in row],
    "tuple of Decimal": lambda row: tuple(map(Decimal, row)),
    "list of tensors": lambda row: [torch().tensor(v, dtype=torch().float64) for v in row],
    "tensor": lambda row: torch().tensor(np.array(row), requires_grad=True),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_right_array_passes_whatever_its_type(kind):
    right = find("kl_to_standard_normal").oracle
    check("kl_to_standard_normal", lambda *case: WHOLE[kind](right(*case).tolist()))


def test_float32_passes_where_the_task_asks_for_few_digits():
    right = find("best_reverse_fit").oracle
    check("best_reverse_fit", lambda *case: torch().tensor(right(*case), dtype=torch().float32))


def test_masked_is_no_number():
    assert told(lambda counts, lengths: np.ma.masked).startswith("your answer is NaN")


# What a check does not survive for long ---------------------------------------------------------


class Hostile:
    """An object that refuses whatever it is asked for."""

    def __getattr__(self, name):
        raise KeyError(name)

    __eq__ = __array__ = __float__ = __iter__ = __len__ = __getattr__
    __hash__ = None

    def __repr__(self):
        raise RuntimeError

    __str__ = __repr__


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


def raises(error):
    def answer(counts, lengths):
        raise error

    return answer


def endlessly_nested():
    nested = []
    nested.append(nested)
    return nested


def sets_all(counts, lengths):
    np.seterr(all="raise")
    np.random.seed(1)
    np.set_printoptions(precision=1, threshold=1)
    warnings.simplefilter("error")
    sys.stdout = None
    return 0.123456


HOSTILE = {
    "exception without str": (raises(Unprintable()), "raised Unprintable"),
    "exception of many lines": (raises(ValueError("one\ntwo")), "raised ValueError: one two"),
    "SystemExit": (raises(SystemExit(3)), "raised SystemExit: 3"),
    "KeyboardInterrupt": (raises(KeyboardInterrupt()), "raised KeyboardInterrupt"),
    "GeneratorExit": (raises(GeneratorExit()), "raised GeneratorExit"),
    "MemoryError": (raises(MemoryError()), "raised MemoryError"),
    "hostile object": (lambda c, n: Hostile(), "cannot be read as numbers|where a number"),
    "list of them": (lambda c, n: [Hostile()], "cannot be read as numbers|where a number"),
    "nested without end": (lambda c, n: endlessly_nested(), "RecursionError"),
    "nested deeply": (
        lambda c, n: functools.reduce(lambda a, _: [a], range(500), 1.0),
        "cannot be read as numbers|has shape",
    ),
    "huge array": (lambda c, n: np.broadcast_to(1.0, (10**6, 10**6)), "too large to be right"),
    "huge integer": (lambda c, n: 10**400, "OverflowError"),
    "generator": (lambda c, n: (x for x in c), "returned a generator where a number or an array"),
    "text in an object array": (lambda c, n: np.array(["0.25"], dtype=object), "returned a str"),
    "None in a list": (lambda c, n: [None], "NoneType where a number"),
    "sets global state": (sets_all, r"your answer is 0\.1235, right is 0\.25 "),
    "bool": (lambda c, n: True, r"your answer is 1\., right is 0\.25"),
    "a class": (Hostile, "arguments: counts, lengths"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_an_answer_does_it_gets_one_line(kind):
    answer, message = HOSTILE[kind]
    state, options, out = np.random.get_state()[1].copy(), np.get_printoptions(), sys.stdout
    assert re.search(message, told(answer))
    assert (np.random.get_state()[1] == state).all()
    assert np.get_printoptions() == options
    assert sys.stdout is out


@pytest.mark.parametrize("kind", ["hostile", "endless", "dict", "set", "nothing", "text"])
def test_several_values_that_are_none_get_one_line(kind):
    value, message = {
        "hostile": (Hostile(), "cannot be read|returned one value"),
        "endless": (itertools.count(), "returned more than 99 values, 3 are asked for"),
        "dict": ({1: 2}, "a dict where 3 values are asked for"),
        "set": ({1, 2, 3}, "a set where 3 values are asked for"),
        "nothing": ((), "returned 0 values, 3 are asked for"),
        "text": ("abc", "a str where 3 values are asked for"),
    }[kind]
    assert re.search(message, told(lambda *case: value, "both_orders"))


def test_numpy_told_to_raise_does_not_break_the_check():
    with np.errstate(all="raise"):
        check("kl_of_counts", find("kl_of_counts").oracle)
        assert "your answer is NaN" in told(lambda a, b: float("nan"), "kl_of_counts")


# Slow and endless ---------------------------------------------------------------------------------


def answering(first, later):
    """An answer that is right, after `first()`, and from the second case on `later()`."""
    calls = []

    def answer(counts, lengths):
        (later if calls else first)()
        calls.append(1)
        return extra_bits(counts, lengths)

    return answer


def nothing():
    pass


def forever():
    while True:
        pass


def work(seconds=0.07):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def catch_all(seconds=4):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


def test_slow_is_told_from_endless(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.2)
    slow = told(answering(work, work))
    assert re.match(
        r"right so far, but too slow: 0.2 seconds are allowed, .* gave \d of \d+ ans", slow
    )
    message = "no answer to one single case after 0.2 seconds, the time allowed for all: does a loo"
    assert told(answering(forever, forever)).startswith(message)
    assert told(answering(nothing, forever)).startswith(message)
    assert "(counts = [2, 1, 1]" in told(answering(nothing, forever))


def test_slow_and_wrong_is_wrong(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.2)

    def slow_in_nats(counts, lengths):
        work(0.06)
        return extra_bits(counts, lengths) * np.log(2)

    assert re.match("this is in nats|your answer is", told(slow_in_nats))


def test_a_right_answer_that_needs_a_third_of_the_time_passes(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 2.0)
    check("extra_bits", answering(lambda: work(0.07), lambda: work(0.07)))


def test_an_answer_that_waits_is_not_sent_to_restart_the_kernel(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.2)
    waits = answering(lambda: time.sleep(2.5), nothing)
    assert re.search("it waits, or is in one long call that cannot be cut short", told(waits))


def test_an_answer_that_cannot_be_stopped_is_said_to_run_on(monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.2)
    assert "it still runs, because it catches every exception" in told(
        answering(catch_all, nothing)
    )


def test_a_loop_with_a_bare_except_is_stopped():
    def work():
        n = 0
        while True:
            try:  # noqa: SIM105
                n += 1
            except BaseException:
                pass

    assert running.run_limited(work, 0.1) == running.STOPPED


# What is judged -----------------------------------------------------------------------------------


def toy(right, cases, **more):
    """An exercise with one argument."""
    given = {"oracle": right, "second_answer": right, "mistakes": (), "hints": ()} | more
    return Exercise(name="toy", cases=cases, **given)


def test_an_answer_that_is_wrong_in_one_draw_of_three_does_not_pass():
    exercise = toy(lambda x: x, lambda rng: [(1.0,), (rng.uniform(),)])
    passed = 0
    for seed in range(200):
        with contextlib.suppress(Wrong):
            judge.judge(exercise, lambda x: min(x, 2 / 3), np.random.default_rng(seed))
            passed += 1
    assert passed <= 12  # (2/3)^10 are 2 per cent


def test_a_mistake_is_named_only_if_cases_that_did_not_lead_to_it_agree():
    exercise = toy(
        abs,
        lambda rng: [(-2.0,), (rng.uniform(-1, 1),)],
        oracle=lambda x: abs(x),
        mistakes=((lambda x: x, "the sign is there"),),
    )

    def times_named(answer):
        named = 0
        for seed in range(100):
            with pytest.raises(Wrong) as caught:
                judge.judge(exercise, answer, np.random.default_rng(seed))
            named += "the sign is there" in str(caught.value)
        return named

    assert times_named(lambda x: x) == 100
    assert times_named(lambda x: x if abs(x) > 0.5 else 7.0) < 15  # first draw alone: 50


def test_an_answer_by_chance_is_told_so():
    rng = np.random.default_rng(0)

    def sampled(counts, lengths):
        return extra_bits(counts, lengths) * (1 + 1e-5 * rng.normal())

    assert "two calls with the same arguments gave" in told(sampled)
    fixed = told(lambda counts, lengths: extra_bits(counts, lengths) * (1 + 1e-5))
    assert "is off by 2.5e-06, so nearly right: was something rounded, cut off or dr" in fixed
    tiny = toy(lambda x: x, lambda rng: [(1e-5,)], tolerance=1e-12)
    with pytest.raises(Wrong, match=r"your answer is 2\.e-05, right is 1\.e-05"):
        judge.judge(tiny, lambda x: 2 * x, np.random.default_rng(0))


def test_not_yet_is_said_of_the_stub_alone():
    def stub(counts, lengths):
        raise NotImplementedError("your code here")

    for answer in (stub, functools.lru_cache(stub), functools.partial(stub), np.vectorize(stub)):
        with pytest.raises(NotYet):
            check(
                "extra_bits",
                lambda c, n, answer=answer: (
                    answer(tuple(c), tuple(n)) if answer is not stub else stub(c, n)
                ),
            )
    for error in (NotImplementedError("no such solver"), NotImplementedError("", 1)):
        assert re.search("line .* raised NotImplementedError", told(raises(error)))
    library = SimpleNamespace(__name__="no file of the student")
    namespace = {}
    exec(
        compile("def fail():\n    raise NotImplementedError('your code here')", "lib", "exec"),
        namespace,
    )
    assert library
    assert "raised NotImplementedError: your code here" in told(lambda c, n: namespace["fail"]())


class CallableAnswer:
    def __call__(self, counts, lengths):
        return counts.no_such_thing


WRAPPED = {
    "partial": functools.partial(lambda factor, counts, lengths: counts.no_such_thing, 2),
    "vectorize": np.vectorize(lambda counts, lengths: counts.no_such_thing),
    "callable": CallableAnswer(),
    "method": CallableAnswer().__call__,
    "wraps": functools.wraps(CallableAnswer.__call__)(lambda c, n: c.no_such_thing),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_an_error_in_a_wrapped_function_is_found(kind):
    line = told(WRAPPED[kind])
    assert re.match(r"line \d+ of test_judge.py, .*no_such_thing.* raised AttributeError", line)
    assert "called with" not in line


def test_what_takes_other_arguments_is_told_which():
    message = "the answer is called with 2 arguments: counts, lengths"
    for answer in (lambda counts: 0, functools.partial(lambda a: 0, 1), CallableAnswer):
        assert message in told(answer)
    assert message not in told(lambda counts, lengths: len(3))


def test_a_message_that_ends_in_a_question_is_followed_by_no_dot():
    exercise = find("kl_of_counts")
    for _ in range(3):
        line = told(lambda a, b: exercise.mistakes[0][0](a, b), "kl_of_counts")
    assert '? Stuck? Run hint("kl_of_counts")' in line


def test_after_a_right_answer_comes_what_to_discover(capsys):
    check("way_in_legs", find("way_in_legs").oracle)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "✓ way_in_legs: correct"
    assert second.startswith("  To discover: ")
    assert all(find(name).discovery == find(name).discovery.strip() for name in NAMES)


RIGHT = "p = counts / counts.sum(); s = p > 0; return p @ lengths + p[s] @ np.log2(p[s])"
DEFINED = f"def extra_bits(counts, lengths):\n    {RIGHT}\n"
CALLED = 'check("extra_bits", extra_bits)'
CELLS = {  # source: whether what is in memory from an earlier cell is refused
    CALLED: True,
    DEFINED.replace("extra_bits", "extra_bit") + CALLED: True,
    "def other():\n    extra_bits = 3\n" + CALLED: True,
    "class A:\n    def extra_bits(self): pass\n" + CALLED: True,
    "# a comment\nhint('extra_bits')\ncheck(name='extra_bits', function=extra_bits)": True,
    "%%time\n" + CALLED: True,
    "%matplotlib inline\n" + CALLED: True,
    DEFINED + CALLED: False,
    "%%time\n" + DEFINED + CALLED: False,
    "%matplotlib inline\n" + DEFINED + CALLED: False,
    "extra_bits = mine\n" + CALLED: False,
    "answer = mine\n" + 'check("extra_bits", answer)': False,
    "extra_bits = lambda counts, lengths: mine(counts, lengths)\n" + CALLED: False,
    "extra_bits = functools.partial(mine)\n" + CALLED: False,
    "extra_bits = functools.lru_cache(mine).__wrapped__\n" + CALLED: False,
    "@functools.wraps(mine)\n" + DEFINED + CALLED: False,
    "class A:\n    def __call__(self, c, n): return mine(c, n)\nextra_bits = A()\n" + CALLED: False,
    "if True:\n    extra_bits = mine\n" + CALLED: False,
    "extra_bits, two = mine, 2\n" + CALLED: False,
    "from my_answers import extra_bits\n" + CALLED: False,
    'check("extra_bits", mine.__call__)': False,
    'check("extra_bits", (extra_bits := mine))': False,
}


def test_what_an_earlier_cell_left_in_memory_is_not_judged(tmp_path):
    (tmp_path / "my_answers.py").write_text(f"import numpy as np\n\n\n{DEFINED}")
    setup = (
        "import functools\nimport numpy as np\nfrom lecture_utils.exercises import check, hint\n"
        f"{DEFINED}mine = extra_bits"
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in [setup, *CELLS]]
    )
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(
        notebook, kernel_name="python3", allow_errors=True, resources=resources
    ).execute()
    assert not notebook.cells[0].outputs
    for cell, (source, refused) in zip(notebook.cells[1:], CELLS.items(), strict=True):
        errors = [out.traceback[0] for out in cell.outputs if out.output_type == "error"]
        if refused:
            assert errors, source
            assert re.match("✗ extra_bits: this cell does not define `extra_bits`, .*", errors[0])
        else:
            assert not errors, source
            assert "✓ extra_bits: correct" in "".join(out.get("text", "") for out in cell.outputs)


def test_outside_a_notebook_nothing_is_refused():
    check("extra_bits", extra_bits)
    exec('check("extra_bits", extra_bits)', {"check": check, "extra_bits": extra_bits})
