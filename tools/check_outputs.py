"""Say of notebooks whether all their cells were run, in order and without errors.

`python -m tools.check_outputs notebooks/01_*.ipynb`: git's hook calls it with what is committed.
"""

import sys
from pathlib import Path

from tools.course import code_cells, command, read


def complaints(path):
    """Return what is wrong with the stored outputs of the notebook at `path`, one line each."""
    cells = code_cells(read(path).cells)
    outputs = [output for cell in cells for output in cell.outputs]
    lines = []
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        lines.append("its cells were not all run once, in order")
    if any(output.output_type == "error" for output in outputs):
        lines.append("an error is stored in it")
    if any(output.get("name") == "stderr" for output in outputs):
        lines.append("a warning is stored in it")
    number = path.name[:2]
    return [f"{path}: {line}: make notebooks NOTEBOOKS={number}" for line in lines]


@command()
def main(paths):
    """Print the complaints; the exit status says whether there were any."""
    lines = [line for path in paths for line in complaints(Path(path))]
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
