"""Run the lectures with the seeds 0 to 9: a claim must not hold by the luck of one seed.

python -m tools.reseed --notebooks "01 05"
"""

import shutil
import sys

from tools.parallel import interrupt_on_signals
from tools.run_course import (
    BUILD,
    Parser,
    Refused,
    Run,
    choose,
    execute_all,
    give_parameters,
    read,
)

SEEDS = range(10)


def main():
    """Run all lectures with all seeds, print the table and return the exit status."""
    parser = Parser(prog="reseed", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--notebooks", default="", help='numbers or names, as in "01 05"')
    results = BUILD / "reseed"
    try:
        paths = choose(parser.parse_args().notebooks)
        shutil.rmtree(results, ignore_errors=True)
        table = {seed: runs_with(seed, paths, results / f"seed_{seed}") for seed in SEEDS}
        execute_all([run for runs in table.values() for run in runs])
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: no kernel is left", file=sys.stderr)
        return 130
    print_lectures_by_seeds(table)
    return 1 if any(run.error for runs in table.values() for run in runs) else 0


def runs_with(seed, paths, folder):
    """The runs of all `paths` with one seed; their results go into `folder`."""
    folder.mkdir(parents=True)
    runs = [Run(path, folder / path.name, read(path)) for path in paths]
    give_parameters(runs, f"seed={seed}")
    return runs


def print_lectures_by_seeds(table):
    """One row a lecture, one column a seed; below, what failed first in each run that failed."""
    by_lecture = list(zip(*table.values(), strict=True))
    width = max(len(runs[0].name) for runs in by_lecture)
    print(f"\n{'lecture':{width}}  " + " ".join(f"{seed:2d}" for seed in table))
    for runs in by_lecture:
        marks = " ".join(" ✗" if run.error else " ✓" for run in runs)
        print(f"{runs[0].name:{width}}  {marks}")
    for seed, runs in table.items():
        for run in runs:
            if run.error:
                print(f"seed {seed}, {run.name}, {run.where()}\n    {run.error}")


if __name__ == "__main__":
    interrupt_on_signals()
    sys.exit(main())
