"""Run the lectures with the seeds 0 to 9: a claim must not hold by the luck of one seed.

python -m tools.reseed --notebooks "01 05"
"""

import shutil

from tools.course import Parser, choose, claim, command, read
from tools.kernels import Run
from tools.parameters import give_parameters
from tools.several import execute_all, run_command

SEEDS = range(10)


@command()
def main():
    """Run all lectures with all seeds, print the table and return the exit status."""
    parser = Parser("reseed", __doc__)
    parser.add_notebooks()
    parser.add_output()
    options = parser.parse_args()
    paths = choose(options.notebooks)
    claim(options.output)
    results = options.output / "reseed"
    shutil.rmtree(results, ignore_errors=True)
    table = {seed: runs_with(seed, paths, results / f"seed_{seed}") for seed in SEEDS}
    execute_all([run for runs in table.values() for run in runs])
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
    run_command(main)
