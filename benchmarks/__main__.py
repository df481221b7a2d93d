"""Run the benchmarks and print a table for each: `make bench`, or `make bench PARTS="fit kl"`.

A part is a module of this folder: its docstring says how to read its table, `HEADER` names the
columns, `rows()` measures. What one table compares is measured in one run, so that its ratios
hold although its seconds belong to this machine and this moment.
"""

import importlib
import os
import sys

PARTS = ("lectures", "fit", "contractive", "kl", "pages", "binder", "install")
ONLY_WHEN_ASKED = ("install",)  # it downloads everything anew


def main(names):
    """Run the parts in `names`, or all but those that must be asked for; return the exit status."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        there_are = ", ".join(PARTS)
        print(f'refused: there is no part "{unknown[0]}"; there are: {there_are}', file=sys.stderr)
        return 2
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = os.environ.get("COURSE_THREADS") or "1"  # before a part imports numpy
    try:
        for name in names or [part for part in PARTS if part not in ONLY_WHEN_ASKED]:
            part = importlib.import_module(f"benchmarks.{name}")
            print(f"\n== {name}: {part.__doc__}")
            print_table(part.HEADER, part.rows())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def print_table(header, rows):
    """Print rows of texts in columns, the first to the left and the others to the right."""
    table = [header, *rows]
    first, *others = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *values in table:
        numbers = [f"{value:>{width}}" for value, width in zip(values, others, strict=True)]
        print("  ".join([f"{name:<{first}}", *numbers]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
