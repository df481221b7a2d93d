"""Exercises that answer at once: `check` says whether an answer is right, `hint` helps on.

`registry` lists the exercises by topic; a topic's module holds their cases, oracles and known
mistakes.
"""

from lecture_utils.exercises.feedback import check, hint

__all__ = ["check", "hint"]
