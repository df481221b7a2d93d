"""What a lecture found when it ran: the claims that failed, and the numbers that it marks.

A lecture marks its results as `table` and `values` of `lecture_utils.tables` show them.
"""

import re
from html.parser import HTMLParser

from tools.cells import ticks
from tools.course import code_cells, first_line

NUMBER = re.compile(r"[-−]?[\d,]*\.?\d+(?:e[-+]?\d+)?|inf|nan")
GIVEN = ("theory", "agrees within")  # columns of `compare` that are no result
FAILED = ("does not hold: ", "measured and theory disagree: ")


def failures_of(notebook):
    """Return what went wrong, one line each: claims that failed, then other errors."""
    errors = [
        output
        for cell in code_cells(notebook.cells)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    said = [f"{error.ename}: {first_line(error.evalue)}" for error in errors]
    claims = [line.removeprefix("AssertionError: ") for line in said if is_claim(line)]
    return claims + [line for line in said if not is_claim(line)]


def is_claim(line):
    return line.removeprefix("AssertionError: ").startswith(FAILED)


def n_confirmed(notebook):
    texts = [
        output.text
        for cell in code_cells(notebook.cells)
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    return sum(len(ticks(text)[0]) for text in texts)


def numbers_of(notebook):
    """Return the numbers of a lecture's tables and values, by what they are.

    A number of a table is called "row, column"; where a name comes again, it gets a number.
    """
    found = {}
    for cell in code_cells(notebook.cells):
        for output in cell.outputs:
            html = "".join(output.get("data", {}).get("text/html", ""))
            for name, number in _Reader(html).numbers if 'class="' in html else ():
                label, again = name, 2
                while label in found:
                    label, again = f"{name} ({again})", again + 1
                found[label] = number
    return found


def as_number(text):
    """Return the number that a cell shows, that of "1.20 ± 0.03" without its spread, or None."""
    text = text.split("±")[0].strip().removesuffix("%").strip()
    if not NUMBER.fullmatch(text):
        return None
    return float(text.replace(",", "").replace("−", "-"))


class _Reader(HTMLParser):
    """Reads the HTML of `table` and `values` into `numbers`, pairs (name, number)."""

    def __init__(self, html):
        super().__init__()
        self.numbers, self.kind = [], ""
        self.head, self.row, self.text = [], [], None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        classes = (dict(attributes).get("class") or "").split()
        if tag == "table":
            self.kind, self.head = "table" if "course" in classes else "", []
        elif tag == "div":
            self.kind = "values" if {"values", "value"} & {*classes} else ""
        starts_value = tag == "b" or (tag == "span" and "what" in classes)
        if (self.kind == "table" and tag in ("th", "td")) or (
            self.kind == "values" and starts_value
        ):
            self.text = []
        if tag == "tr":
            self.row = []

    def handle_data(self, data):
        if self.text is not None:
            self.text.append(data)

    def handle_endtag(self, tag):
        if self.text is not None and tag in ("th", "td", "span", "b"):
            self.row.append("".join(self.text).strip())
            self.text = None
            if self.kind == "values" and tag == "b":
                self._keep(self.row[-2] if len(self.row) > 1 else "", self.row[-1])
                self.row = []
        if tag == "tr" and self.kind == "table":
            if not self.head:
                self.head = self.row
            else:
                for column, text in zip(self.head[1:], self.row[1:], strict=False):
                    if column not in GIVEN:
                        self._keep(f"{self.row[0]}, {column}", text)

    def _keep(self, name, text):
        number = as_number(text)
        if number is not None:
            self.numbers.append((name, number))
