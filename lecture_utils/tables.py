"""Tables and single numbers as HTML: to copy, to read aloud, and on a slide large enough to read.

On another processor a trained network's numbers differ in their last digits. A table of them says
`trained=True`: it then carries a class whose contents are not compared when the stored outputs are
checked. What holds everywhere stands below it, as claims.
"""

from html import escape

from IPython.display import display


def table(head, rows, formats=None, best=None, trained=False):
    """Show a table.

    Parameters
    ----------
    head : list of str
        What each column holds, with its unit: "test error (nats)". May contain TeX between dollars.
    rows : list of lists
        The cells; text, numbers, pairs (number, its spread) shown as "1.20 ± 0.03", or None for an
        empty one. The first column names the row.
    formats : dict of str to str, optional
        Format of a column's numbers, by its head, as in {"test error": ".2f"}; default ".4g".
    best : dict of str to function, optional
        By the head of a column `min` or `max`: its best number is set in bold, with all that look
        the same.
    trained : bool
        Whether a number comes from a trained network.

    Raises
    ------
    ValueError
        When a row has not one cell a column, or `formats` or `best` name no column.
    """
    formats, best = formats or {}, best or {}
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"the row {row} has {len(row)} cells for {len(head)} columns")
    for name in {*formats, *best} - {*head}:
        raise ValueError(f"there is no column {name!r}; there are: {', '.join(head)}")
    texts = [
        [_text(cell, formats.get(name, ".4g")) for name, cell in zip(head, row, strict=True)]
        for row in rows
    ]
    winners = {
        (number, column)
        for column, name in enumerate(head)
        if name in best
        for number in _positions_of_best(
            [row[column] for row in rows], [row[column] for row in texts], best[name]
        )
    }
    _display(_html(head, rows, texts, winners, trained), _plain(head, texts, trained))


def values(rows, digits=4, trained=False):
    """Show single numbers, each with what it is and its unit.

    Parameters
    ----------
    rows : list of (what, number, unit)
    digits : int
        Digits after the decimal point.
    trained : bool
        Whether a number comes from a trained network.
    """
    shown = [(what, _text(number, f",.{digits}f"), unit) for what, number, unit in rows]
    items = "".join(
        f'<div class="value"><span class="what">{escape(what, quote=False)}</span> '
        f'<b>{number}</b> <span class="unit">{escape(unit, quote=False)}</span></div>'
        for what, number, unit in shown
    )
    plain = "\n".join(f"{what}: {number} {unit}".rstrip() for what, number, unit in shown)
    if trained:
        plain = f"<{len(rows)} numbers>"
    _display(f'<div class="{_classes("values", trained)}">{items}</div>', plain)


def _display(html, plain):
    display({"text/html": html, "text/plain": plain}, raw=True)


def _classes(name, trained):
    return f"{name} trained" if trained else name


def _is_number(cell):
    cell = cell[0] if isinstance(cell, tuple) else cell
    return not isinstance(cell, str | bool) and hasattr(cell, "__float__")


def _number(cell):
    return float(cell[0] if isinstance(cell, tuple) else cell)


def _text(cell, number_format):
    if cell is None:
        return ""
    if not _is_number(cell):
        return str(cell)
    if isinstance(cell, tuple):
        return " ± ".join(_text(number, number_format) for number in cell)
    if isinstance(cell, int) and "f" not in number_format:
        return f"{cell:,}"
    text = f"{float(cell):{number_format}}"
    # The -0.00 that rounding can leave is 0.00.
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def _positions_of_best(cells, texts, choose):
    numbers = {i: _number(cell) for i, cell in enumerate(cells) if _is_number(cell)}
    shown = {i: texts[i].split(" ± ")[0] for i in numbers}
    best = shown[choose(numbers, key=numbers.get)]
    return [i for i in numbers if shown[i] == best]


def _html(head, rows, texts, winners, trained):
    def cell(number, column):
        text = escape(texts[number][column], quote=False)
        if column == 0:
            return f'<th scope="row">{text}</th>'
        kind = "number" if _is_number(rows[number][column]) else "text"
        if (number, column) in winners:
            return f'<td class="{kind} best"><strong>{text}</strong></td>'
        return f'<td class="{kind}">{text}</td>'

    def kind_of(column):  # a head stands above its numbers, or its texts
        is_number = any(_is_number(row[column]) for row in rows) and column > 0
        return "number" if is_number else "text"

    top = "".join(
        f'<th scope="col" class="{kind_of(column)}">{escape(name, quote=False)}</th>'
        if name
        else "<td></td>"
        for column, name in enumerate(head)
    )
    body = "".join(
        f"<tr>{''.join(cell(number, column) for column in range(len(head)))}</tr>"
        for number in range(len(rows))
    )
    return (
        f'<table class="{_classes("course", trained)}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _plain(head, texts, trained):
    if trained:
        return f"<table of {len(texts)} rows>"
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    lines = [
        "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *texts]
    ]
    return "\n".join(lines)
