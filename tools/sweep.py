"""Run lectures over a grid of parameters, past failing claims, and collect what they found.

python -m tools.sweep --notebooks "09" --grid "seed=0:10 epochs=10,20"
python -m tools.sweep --grid "seed=0:10" --scheduler tcp://host:8786

`build/sweep.csv` gets a line for each claim that failed and for each number that a lecture marks as
its result, `build/sweep.png` shows them. Finished runs are kept in `build/sweep/`: the same command
goes on where it was interrupted.
"""

import csv
import io
import sys
from collections import defaultdict

from tqdm import tqdm

from tools import cluster, sweeping
from tools.course import Parser, Refused, choose, claim, command, digest, read
from tools.grid import settings
from tools.kept import Kept, write_whole
from tools.kernels import Run
from tools.several import interrupts_noted, measured_seconds, run_command, run_in_threads
from tools.sweeping import Task

SHOWN = 30  # settings, as columns of the printed table
STOPPED = "stopped: no kernel is left; what was finished is kept, the same command goes on"


@command(STOPPED)
def main(arguments=None):
    """Run what the command line asks for and return the exit status."""
    parser = Parser("sweep", __doc__)
    parser.add_notebooks()
    parser.add_argument("--grid", default="", help='as in "seed=0:10 epochs=10,20"')
    parser.add_argument("--scheduler", default="", help="of a Dask cluster: tcp://host:8786")
    parser.add_output()
    options = parser.parse_args(arguments)
    if not options.grid.strip():
        raise Refused('say over what: `make sweep GRID="seed=0:10 epochs=10,20"`')
    runs = [Run(path, path, read(path)) for path in choose(options.notebooks)]
    grid = settings(runs, options.grid)
    claim(options.output)
    return sweep(runs, grid, options.output, options.scheduler.strip())


def sweep(runs, grid, output, scheduler):
    """Run the settings of the grid, write table and picture, print a summary."""
    kept, course = Kept(output / "sweep"), cluster.course()
    keys = {one: [*key_of(one, runs), course] for one in grid}
    results = {one: found for one in grid if (found := kept.get(keys[one])) is not None}
    texts = {run.name: run.source.read_text(encoding="utf-8-sig") for run in runs}
    missing = [one for one in grid if one not in results]
    tasks = {
        Task(one.name, texts[one.name], one.values, course): one
        for one in sorted(missing, key=expected, reverse=True)
    }

    def finished(task, result):
        results[tasks[task]] = result
        if "not run" not in result:
            kept.put(keys[tasks[task]], result)

    picture = output / "sweep.png"
    try:
        run_all(tasks, finished, scheduler, n_known=len(results))
    finally:  # also of an interrupted sweep
        write(output / "sweep.csv", grid, results)
        picture.unlink(missing_ok=True)  # one of an earlier grid would seem to belong to this table
    from tools.sweep_picture import draw

    draw(grid, results, picture)
    status = report(grid, results)
    print(f"\nresults: {output / 'sweep.csv'}\npicture: {picture}")
    return status


def run_all(tasks, finished, scheduler, n_known):
    """Run the tasks here or on a cluster, under a progress bar."""
    with (
        tqdm(total=n_known + len(tasks), initial=n_known, unit="run") as bar,
        interrupts_noted() as interrupted,
    ):
        n_finished = [0]

        def done(task, result):
            finished(task, result)
            n_finished[0] += 1

        def tick(*_):
            bar.update(n_known + n_finished[0] - bar.n)

        def run_here(task):
            result = sweeping.run(task)
            if not interrupted.is_set():
                done(task, result)

        if scheduler:
            cluster.run_on(scheduler, list(tasks), done, tick, interrupted)
        else:
            run_in_threads(run_here, tasks, tick, interrupted)
        tick()


def key_of(setting, runs):
    run = next(run for run in runs if run.name == setting.name)
    return [setting.name, setting.values, digest(run.notebook)]


def expected(setting):
    """What takes long starts first, so that it is not left to run alone."""
    return measured_seconds().get(setting.name[:2], float("inf"))


def parameters_in(grid):
    return list(dict.fromkeys(name for setting in grid for name, _ in setting.values))


def write(path, grid, results):
    """Write a line for each thing that was found: (lecture, parameters, kind, what, value)."""
    names = parameters_in(grid)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["lecture", *names, "kind", "what", "value"])
    for setting in grid:
        values = dict(setting.values)
        row = [setting.name, *(values.get(name, "") for name in names)]
        writer.writerows([*row, *line] for line in lines_of(results.get(setting)))
    write_whole(path, text.getvalue())


def lines_of(result):
    """The lines (kind, what, value) for one run."""
    if result is None:
        return [("not run", "stopped before", "")]
    if "not run" in result:
        return [("not run", result["not run"], "")]
    return [
        ("seconds", "", result["seconds"]),
        ("confirmed", "", result["confirmed"]),
        *(("failed", claim, "") for claim in result["failed"]),
        *(("number", name, value) for name, value in result["numbers"].items()),
    ]


def report(grid, results):
    """Print lectures by settings and what failed where; return 1 if anything did."""
    lectures = defaultdict(list)
    for setting in grid:
        lectures[setting.name].append(setting)
    print_marks(lectures, results)
    failed, not_run = defaultdict(list), []
    for setting in grid:
        result = results[setting]
        if "not run" in result:
            not_run.append(f"{setting}: {result['not run']}")
        for what in dict.fromkeys(result.get("failed", ())):
            failed[setting.name, what].append(setting)
    for (name, what), where in failed.items():
        values = "; ".join(
            " ".join(f"{key}={value}" for key, value in one.values) for one in where[:SHOWN]
        )
        print(f"{name}: fails in {len(where)} of {len(lectures[name])} ({values})\n    {what}")
    for line in not_run:
        print(line, file=sys.stderr)
    return 1 if failed or not_run else 0


def print_marks(lectures, results):
    """One row a lecture; a column a value where there is one parameter, else how many held."""
    width = max(map(len, lectures))
    columns = list(
        dict.fromkeys(one.values for many in lectures.values() for one in many if one.values)
    )
    single = len(columns) <= SHOWN and all(len(values) == 1 for values in columns)
    if single and columns:
        sizes = [max(len(str(values[0][1])), 2) for values in columns]
        head = [f"{values[0][1]!s:>{size}}" for values, size in zip(columns, sizes, strict=True)]
        print(f"\n{columns[0][0][0]:>{width}}  {' '.join(head)}")
    else:
        print(f"\n{'lecture':{width}}  all claims held in")
    for name, many in lectures.items():
        good = {one.values: is_good(results[one]) for one in many}
        if single and columns and set(columns) >= set(good):
            marks = [
                f"{'✓' if good[values] else '✗':>{size}}" if values in good else " " * size
                for values, size in zip(columns, sizes, strict=True)
            ]
            print(f"{name:{width}}  {' '.join(marks)}")
        else:
            print(f"{name:{width}}  {sum(good.values())} of {len(good)}")


def is_good(result):
    return "not run" not in result and not result["failed"]


if __name__ == "__main__":
    run_command(main)
