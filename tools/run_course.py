"""Run the lectures into build/, with other parameters if wanted, or refresh the stored outputs.

python -m tools.run_course --notebooks "01 05" --parameters "seed=3 n_samples=2000"
python -m tools.run_course --in-place
"""

import os
import sys

from tools import course
from tools.build_site import BuildError
from tools.build_site import build as build_site
from tools.course import Parser, Refused, choose, command, make_anew, read, with_solutions
from tools.kernels import Run
from tools.parameters import give_parameters
from tools.several import execute_all, run_command


@command("stopped: no kernel is left, what was not finished is not stored")
def main(arguments=None):
    """Run what the command line asks for and return the exit status."""
    options = parse(arguments)
    if options.in_place:
        return refresh(options.notebooks)
    return run_into(options.output, options.notebooks, options.parameters)


def parse(arguments):
    """Return the options of the command line; an empty text means all notebooks, no parameters."""
    parser = Parser("run_course", __doc__)
    parser.add_notebooks()
    parser.add_argument("--parameters", default="", help='as in "seed=3 n_samples=2000"')
    parser.add_argument("--in-place", action="store_true", help="store the outputs in notebooks/")
    parser.add_output()
    options = parser.parse_args(arguments)
    if options.in_place and (options.parameters.strip() or options.output != course.BUILD):
        said = "leave out --parameters and --output"
        raise Refused(f"--in-place stores what the notebooks themselves say: {said}")
    return options


def run_into(output, names, parameters):
    """Execute the lectures into a new `output`, build their pages and return the exit status."""
    results = output / "notebooks"
    runs = [Run(path, results / path.name, read(path)) for path in choose(names)]
    give_parameters(runs, parameters)
    make_anew(output)
    results.mkdir()
    execute_all(runs)
    status = report(runs)
    if all(run.error for run in runs):
        return status
    print(f"\nresults: {results}")
    try:
        print(f"open {build_site(source=results, target=output)}")
    except BuildError as error:
        print(f"pages not built: {error}", file=sys.stderr)
        return 1
    return status


def refresh(names):
    """Execute lectures and solutions, store their outputs in the sources, return the status."""
    runs = [Run(path, path, read(path)) for path in with_solutions(choose(names))]
    for folder in {run.target.parent for run in runs}:
        if not os.access(folder, os.W_OK):
            raise Refused(f"{folder} cannot be written: `make run BUILD=FOLDER` leaves it as it is")
    execute_all(runs)
    status = report(runs)
    print(f"\noutputs of what ran clean are stored in {course.NOTEBOOKS}")
    return status


def report(runs):
    """Print one line a lecture, for one that failed where and why, and return the exit status."""
    width = max(len(run.name) for run in runs)
    print(f"\n{'lecture':{width}}  seconds  peak memory (MB)  claims confirmed")
    for run in runs:
        if run.error:
            print(f"{run.name:{width}}  {run.where()}\n{'':{width}}  {run.error}")
        else:
            megabytes = run.peak_memory / 1e6
            print(f"{run.name:{width}}  {run.seconds:7.1f}  {megabytes:16.0f}  {run.claims:16d}")
    return 1 if any(run.error for run in runs) else 0


if __name__ == "__main__":
    run_command(main)
