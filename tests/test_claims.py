"""A claim that is false must stop a notebook; a figure must say in words what it shows."""

import matplotlib.pyplot as plt
import pytest

from lecture_utils import tables
from lecture_utils.claims import compare, confirm, verdict
from lecture_utils.plotting import show, show_images


def test_a_claim_that_holds_is_printed(capsys):
    confirm("one is one", 1 == 1, "1 case")
    assert capsys.readouterr().out == "✓ one is one  (1 case)\n"


def test_a_claim_that_fails_stops(capsys):
    with pytest.raises(AssertionError, match="does not hold: one is two"):
        confirm("one is two", 1 == 2)
    assert capsys.readouterr().out == ""


def test_a_verdict_has_no_digits():
    assert verdict(3.5e-13, 1e-12) == verdict(-6.1e-13, 1e-12) == "below 1e-12: yes"
    assert verdict(2e-12, 1e-12) == "below 1e-12: NO"


def test_compare_shows_every_row_and_stops_at_a_wrong_one(monkeypatch):
    shown = []
    monkeypatch.setattr(tables, "display", lambda data, raw: shown.append(data["text/plain"]))
    compare([("a", 1.0, 1.0, 0), ("b", -1e-17, 0, 1e-9), ("c", 1.0, 1.01, 0.015)])
    out = shown[0]
    assert "b  0.0000    0.0000  1e-09" in out
    assert "-0.0000" not in out
    assert out.endswith("1.0100  0.015"), "the tolerance as it is, not rounded to 0.01"
    with pytest.raises(AssertionError, match="disagree: b"):
        compare([("a", 1.0, 1.0, 0), ("b", 1.0, 2.0, 0.5), ("c", 1.0, 1.0, 0)])
    with pytest.raises(AssertionError, match="disagree: nan"):
        compare([("nan", float("nan"), 1.0, 0.5)])


def test_a_figure_without_words_is_refused():
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="show needs alt"):
        show(figure, " ")
    plt.close(figure)


def test_images_are_shown_in_rows(capsys):
    show_images([[[0, 1, 1, 0]] * 3] * 2, ["a", "b"], "Two rows", "Two rows of three small images.")
    assert plt.get_fignums() == []
