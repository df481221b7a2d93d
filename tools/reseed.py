"""Run the lectures with the seeds 0 to 9: a claim must not hold by the luck of one seed.

python -m tools.reseed --notebooks "01 05"

A sweep over one parameter (`tools.sweep`).
"""

import sys

from tools import sweep
from tools.several import run_command

SEEDS = "seed=0:10"


def main(arguments=None):
    """Run all lectures with all seeds, print the table and return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    return sweep.main(["--grid", SEEDS, *given])


if __name__ == "__main__":
    run_command(main)
