"""Where answers as students write them are kept, to be judged by test_answers."""

import pytest

WRONG, RIGHT = [], []  # (exercise, answer, what the message must hold); without a message


def wrong(name, message=""):
    """Keep an answer that must not pass the exercise `name`; its message must hold `message`."""

    def keep(answer):
        WRONG.append(pytest.param(name, answer, message, id=f"{name}-{answer.__name__}"))
        return answer

    return keep


def right(name):
    """Keep an answer that must pass the exercise `name`."""

    def keep(answer):
        RIGHT.append(pytest.param(name, answer, id=f"{name}-{answer.__name__}"))
        return answer

    return keep
