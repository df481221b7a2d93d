"""Tables say what they hold as HTML and as text; what is trained says so by its class."""

import json
import re

import pytest
from conftest import ROOT

from lecture_utils import tables
from lecture_utils.tables import table, values


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, a dictionary of MIME types a time."""
    outputs = []
    monkeypatch.setattr(tables, "display", lambda data, raw: outputs.append(data))
    return outputs


def test_a_table_has_heads_rows_and_its_best_number(shown):
    rows = [["PCA", 1.5, 3], ["network", 0.5, 12_345], ["none", None, 7]]
    table(["model", "error (nats)", "weights"], rows, {"error (nats)": ".2f"}, {"weights": max})
    html, plain = shown[0]["text/html"], shown[0]["text/plain"]
    assert html.startswith(
        '<table class="course"><thead><tr><th scope="col" class="text">model</th>'
    )
    assert '<th scope="row">PCA</th><td class="number">1.50</td>' in html
    assert '<td class="number best"><strong>12,345</strong></td>' in html
    assert html.count("<strong>") == 1
    assert plain.splitlines()[2] == "network  0.50          12,345"
    assert plain.splitlines()[3] == "none                   7"


def test_text_is_escaped_and_a_negative_zero_is_zero(shown):
    table(["", "KL(P||Q) < 1"], [["a & b", -1e-17]], {"KL(P||Q) < 1": ".4f"})
    html = shown[0]["text/html"]
    assert "<td></td>" in html, "an empty corner is no header"
    assert "&lt; 1" in html
    assert "a &amp; b" in html
    assert ">0.0000<" in html


def test_a_pair_is_a_number_with_its_spread(shown):
    table(["", "error"], [["a", (1.204, 0.031)], ["b", 1.1]], {"error": ".2f"}, {"error": min})
    html = shown[0]["text/html"]
    assert '<td class="number">1.20 ± 0.03</td>' in html
    assert "<strong>1.10</strong>" in html


def test_ties_are_all_best(shown):
    rows = [["a", 1.001], ["b", (1.002, 0.1)], ["c", 2.0]]
    table(["", "x"], rows, formats={"x": ".2f"}, best={"x": min})
    assert shown[0]["text/html"].count('class="number best"') == 2, "what looks the same is"


@pytest.mark.parametrize(
    ("rows", "formats", "message"),
    [([["a"]], None, "1 cells for 2 columns"), ([["a", 1]], {"z": ".2f"}, "no column 'z'")],
)
def test_a_wrong_table_is_refused(shown, rows, formats, message):
    with pytest.raises(ValueError, match=message):
        table(["", "x"], rows, formats)
    assert shown == []


def test_values_have_names_and_units(shown):
    values([("who knows P", 1.49786, "nats"), ("ratio", -0.0, ""), ("n", 1437.25, "")])
    assert '<span class="what">who knows P</span> <b>1.4979</b>' in shown[0]["text/html"]
    assert shown[0]["text/plain"] == ("who knows P: 1.4979 nats\nratio: 0.0000\nn: 1,437.2500")


PATTERNS = re.findall(
    r"(?m)^regex: (.*)\nreplace: (.*)$",
    (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8"),
)


def compared(text):
    """What nbval compares of `text`."""
    for regex, replacement in PATTERNS:
        text = re.sub(regex, replacement, text)
    return text


def test_only_what_is_trained_is_left_out_of_the_comparison(shown):
    """The patterns of nbval blank the numbers of trained networks and nothing else."""
    assert len(PATTERNS) == 3
    for trained in (True, False):
        table(["", "error"], [["net", 0.8312]], trained=trained)
        values([("error", 0.8312, "")], trained=trained)
    trained_table, trained_value, other_table, other_value = shown
    assert "8312" not in compared(trained_table["text/html"] + trained_table["text/plain"])
    assert "0.83" not in compared(trained_value["text/html"] + trained_value["text/plain"])
    assert "8312" in compared(other_table["text/html"])
    assert "8312" in compared(other_value["text/html"])


def escaping(notebook):
    """Complaints where nbval would pass over more than trained numbers."""
    complaints = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        tags = [tag for tag in cell["metadata"].get("tags", []) if tag.startswith("nbval-")]
        if cell["cell_type"] == "code" and (tags or re.search("# *NBVAL_", source)):
            complaints.append(f"{cell['id']}: nbval is told to look away")
        for output in cell.get("outputs", []):
            text = "".join(output.get("text", output.get("data", {}).get("text/html", "")))
            blanked = compared(text)
            if blanked == text or "data-trained=" in text:  # those are compared in test_interactive
                continue
            whole = re.fullmatch(r'(?s)<(table|div) class="(course|values) trained">.*</\1>', text)
            if not whole or text.count("<table") > 1:
                complaints.append(f"{cell['id']}: more than a trained table is not compared")
    return complaints


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.stem
)
def test_nothing_else_escapes_nbval(path):
    assert escaping(json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "output", "complaint"),
    [
        ("x = 1", '<table class="course trained">1</table><b>2</b>', "more than a trained table"),
        ("x = 1", '<div class="values trained">1</div> 2', "more than a trained table"),
        ("# NBVAL_IGNORE_OUTPUT", "2", "look away"),
        ("x = 1", '<table class="course trained">1</table>', None),
        ("x = 1", '<table class="course">1</table>', None),
    ],
)
def test_what_escapes_is_noticed(source, output, complaint):
    data = {"text/html": output}
    cell = {"id": "a", "cell_type": "code", "source": source, "metadata": {}}
    found = escaping({"cells": [{**cell, "outputs": [{"data": data}]}]})
    assert [complaint in line for line in found] == ([True] if complaint else [])
