"""Answers as students write them, from the words of the tasks alone: exercises of 01 to 07.

A wrong answer must never pass; many fail in one fixed case only, that of one sentence of the task.
A right one passes in whatever style it is written. The answers stand in answers/, a module a
lecture.
"""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from answers.collected import RIGHT, WRONG

from lecture_utils.exercises import judge
from lecture_utils.exercises.exercise import Wrong
from lecture_utils.exercises.registry import find

N_CHECKS = 5  # of each answer

for path in sorted((Path(__file__).parent / "answers").glob("*.py")):
    importlib.import_module(f"answers.{path.stem}")  # keeps its answers


@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_a_wrong_answer_never_passes(name, answer, message):
    for seed in range(N_CHECKS):
        with pytest.raises(Wrong) as caught:
            judge.judge(find(name), answer, np.random.default_rng(seed))
        assert re.search(message, str(caught.value))


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_a_right_answer_passes(name, answer):
    for seed in range(2):
        judge.judge(find(name), answer, np.random.default_rng(seed))
