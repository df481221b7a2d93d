"""Single changes to the code of a notebook, as in mutation testing: each makes the code wrong.

An operator becomes its opposite, two arguments change places, a number grows by a fifth. Left out
is what makes nothing wrong that is printed: code that only draws, the order of arguments where it
does not matter, how fine a grid is and how often a loop repeats, and how sharp a check is
(`< 1e-9` or `< 1.2e-9`, two demands or one of them).
"""

import ast
from dataclasses import dataclass

from tools.cells import role
from tools.course import code_cells

OPPOSITE = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SYMMETRIC = {"logaddexp", "maximum", "minimum", "max", "min", "allclose", "isclose", "array_equal"}
SYMMETRIC |= {"js_divergence", "jensenshannon"}
TOLERANCES = {"atol", "rtol", "abs_tol", "rel_tol", "tol", "xatol"}
GRIDS = {"linspace", "geomspace", "logspace"}  # the third argument says how fine


@dataclass(frozen=True)
class Mutation:
    """One change: its cell, where it is, what stood there, what stands there now, all the code."""

    cell_id: str
    line: int  # of the cell, from 1
    before: str
    after: str
    source: str

    def __str__(self):
        change = " -> ".join(" ".join(text.split()) for text in (self.before, self.after))
        return f"cell {self.cell_id}, line {self.line}: {change}"


def mutations(notebook):
    """Return every single change to what reaches something that `notebook` prints."""
    found = []
    for cell, statement in reaching(notebook):
        left_out = {*words_and_bounds(statement), *finenesses(statement)}
        changed = [
            (node, new)
            for node in ast.walk(statement)
            if node not in left_out
            for new in variants(node)
        ]
        found += [mutation(cell, node, new) for node, new in changed]
    return found


def draws(cell):
    """Say whether a cell makes a picture: what it gets wrong is seen, not printed."""
    return role(cell) == "figure" or any(
        kind.startswith("image/") for output in cell.outputs for kind in output.get("data", ())
    )


def reaching(notebook):
    """Return the statements, with their cells, that print or make what another one prints."""
    statements = [
        (cell, statement)
        for cell in code_cells(notebook.cells)
        if not draws(cell)
        for statement in ast.parse(cell.source).body
    ]
    printing = [pair for pair in statements if isinstance(pair[1], (ast.Expr, ast.Assert))]
    n_reached, reached = 0, printing
    while n_reached != len(reached):
        n_reached = len(reached)
        used = set().union(*(names_in(statement) for _, statement in reached))
        reached = [pair for pair in statements if pair in printing or made_by(pair[1]) & used]
    return reached


def names_in(node):
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def made_by(statement):
    """Return the names that a statement defines; a loop may fill any that it mentions."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return set().union(*map(names_in, statement.targets))
    return names_in(statement)


def words_and_bounds(statement):
    """Yield what is no formula: f-strings, and what says how sharp a check is.

    In `error < 5 * standard_error` and in `atol=1e-9` that is the number. In a check it is also
    that the number multiplies, and, where the check asks for two things, that it asks for both.
    """
    for node in ast.walk(statement):
        match node:
            case ast.JoinedStr():
                yield from ast.walk(node)
            case ast.Compare(comparators=sides):
                yield from (part for side in sides for part in bound(side))
            case ast.keyword(name, value) if name in TOLERANCES:
                yield value
            case ast.Assert(test=demand) | ast.Call(ast.Name("confirm"), [_, demand, *_]):
                yield from sharpness(demand)


def bound(side):
    """Yield the numbers at the outside of one side of a comparison."""
    if isinstance(side, ast.Constant):
        yield side
    elif isinstance(side, ast.BinOp):
        yield from bound(side.left)
        yield from bound(side.right)


def sharpness(demand):
    """Yield what a check could lose and still be right: the operators of its bounds, its `and`s."""
    for node in ast.walk(demand):
        match node:
            case ast.BoolOp(ast.And()):
                yield node
            case ast.Compare(left, _, sides):
                yield from (
                    part
                    for side in sides
                    for part in ast.walk(side)
                    if is_product(part) and ast.Constant in (type(part.left), type(part.right))
                )
                if is_product(left) and any(ast.unparse(side) == "0" for side in sides):
                    yield left  # it has the sign of the quotient


def is_product(node):
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))


def finenesses(statement):
    """Yield the numbers of points of grids and the numbers of turns of loops that only repeat."""
    for node in ast.walk(statement):
        match node:
            case ast.Call(function, [_, _, n_points, *_]) if last_name(function) in GRIDS:
                yield n_points
            case ast.For(ast.Name("_"), ast.Call(ast.Name("range"), [n_turns])):
                yield n_turns


def variants(node):
    """Yield what `node` can be changed into."""
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in OPPOSITE:
            yield ast.BinOp(left, OPPOSITE[type(operator)](), right)
        case ast.Compare(left, [operator], right) if type(operator) in OPPOSITE:
            yield ast.Compare(left, [OPPOSITE[type(operator)]()], right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(OPPOSITE[type(operator)](), values)
        case ast.Call(function, [first, second, *others], keywords):
            if has_order(function, first, second):
                yield ast.Call(function, [second, first, *others], keywords)
        case ast.Constant(value) if type(value) in (int, float):
            yield ast.Constant(a_fifth_larger(value))


def has_order(function, first, second):
    """Say whether it matters which of two arguments comes first."""
    starred = isinstance(first, ast.Starred) or isinstance(second, ast.Starred)
    matters = last_name(function) not in SYMMETRIC and ast.dump(first) != ast.dump(second)
    return matters and not starred


def last_name(function):
    return ast.unparse(function).split(".")[-1]


def a_fifth_larger(value):
    """Return 1.2 of a number; of a small whole one, the next."""
    if isinstance(value, float):
        return value * 1.2 or 0.2
    return value + max(1, round(value / 5))


def mutation(cell, node, new):
    """Put `new` in the place of `node` and leave the rest of the source as it is."""
    lines = [line.encode() for line in cell.source.splitlines(keepends=True)]  # ast counts bytes
    start = len(b"".join(lines[: node.lineno - 1])) + node.col_offset
    end = len(b"".join(lines[: node.end_lineno - 1])) + node.end_col_offset
    text, after = b"".join(lines), ast.unparse(new)
    changed = text[:start] + f"({after})".encode() + text[end:]
    return Mutation(cell.id, node.lineno, text[start:end].decode(), after, changed.decode())
