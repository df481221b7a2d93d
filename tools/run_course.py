"""Run the lectures into build/, with other parameters if wanted, or refresh the stored outputs.

python -m tools.run_course --notebooks "01 05" --parameters "seed=3 n_samples=2000"
python -m tools.run_course --in-place
"""

import argparse
import ast
import os
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from papermill.parameterize import parameterize_notebook
from tqdm import tqdm

from tools.build_site import BuildError
from tools.build_site import build as build_site
from tools.parallel import interrupt_on_signals, interrupts_noted, run_in_threads

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
NAME_PATTERN = "[0-9][0-9]_*.ipynb"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}

# Without it a kernel warns on the terminal that other users of the machine could listen.
ENCRYPTION = "auto" if zmq.has("curve") else "disabled"


class Refused(Exception):
    """A request that cannot be met, in one line, before anything has started."""


class Parser(argparse.ArgumentParser):
    """Arguments whose errors are one line, like every other refusal."""

    def error(self, message):
        raise Refused(message)


@dataclass
class Run:
    """One notebook: what is executed where, and what came of it."""

    source: Path
    target: Path
    notebook: nbformat.NotebookNode
    kernel_pid: int | None = None
    cell_index: int | None = None  # of the cell that is being executed
    cells_done: int = 0
    seconds: float = 0.0
    peak_memory: int = 0  # bytes
    error: str = ""  # one line; empty when every cell ran

    @property
    def name(self):
        return self.source.relative_to(NOTEBOOKS).with_suffix("").as_posix()

    @property
    def claims(self):
        """How many claims the notebook printed as confirmed."""
        outputs = [output for cell in code_cells(self.notebook.cells) for output in cell.outputs]
        texts = [output.text for output in outputs if output.output_type == "stream"]
        return sum(line.startswith("✓ ") for text in texts for line in text.splitlines())

    def where(self):
        """Name the cell that failed: its number in the source, and its first line."""
        if self.cell_index is None:
            return "outside its cells"
        cells = code_cells(self.notebook.cells[: self.cell_index + 1])
        number = sum(not tagged(cell, "injected-parameters") for cell in cells)
        return f"cell {number}: {first_line(cells[-1].source)}"


def main(arguments=None):
    """Run what the command line asks for and return the exit status."""
    try:
        options = parse(arguments)
        if options.in_place:
            return refresh(options.notebooks)
        return run_into_build(options.notebooks, options.parameters)
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: no kernel is left, what was not finished is not stored", file=sys.stderr)
        return 130


def parse(arguments):
    """Return the options of the command line; an empty text means all notebooks, no parameters."""
    parser = Parser(prog="run_course", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--notebooks", default="", help='numbers or names, as in "01 05"')
    parser.add_argument("--parameters", default="", help='as in "seed=3 n_samples=2000"')
    parser.add_argument("--in-place", action="store_true", help="store the outputs in notebooks/")
    options = parser.parse_args(arguments)
    if options.in_place and options.parameters.strip():
        raise Refused("--in-place stores what the notebooks themselves say: leave out --parameters")
    return options


def run_into_build(names, parameters):
    """Execute the lectures into a new build/, build their pages and return the exit status."""
    results = BUILD / "notebooks"
    runs = [Run(path, results / path.name, read(path)) for path in choose(names)]
    give_parameters(runs, parameters)
    try:
        if BUILD.exists():
            shutil.rmtree(BUILD)
        results.mkdir(parents=True)
    except OSError as error:
        raise Refused(f"{BUILD} cannot be made anew: {error.strerror}") from error
    execute_all(runs)
    status = report(runs)
    if all(run.error for run in runs):
        return status
    print(f"\nresults: {results}")
    try:
        print(f"open {build_site(source=results, target=BUILD)}")
    except BuildError as error:
        print(f"pages not built: {error}", file=sys.stderr)
        return 1
    return status


def refresh(names):
    """Execute lectures and solutions, store their outputs in the sources, return the status."""
    numbers = {path.name[:2] for path in choose(names)}
    solutions = sorted((NOTEBOOKS / "solutions").glob(NAME_PATTERN))
    paths = [path for path in [*lectures(), *solutions] if path.name[:2] in numbers]
    runs = [Run(path, path, read(path)) for path in paths]
    execute_all(runs)
    status = report(runs)
    print(f"\noutputs of what ran clean are stored in {NOTEBOOKS}")
    return status


def lectures():
    return sorted(NOTEBOOKS.glob(NAME_PATTERN))


def choose(names):
    """Return the paths of the lectures in `names` ("1", "01" or "01_kl_divergence"), or of all."""
    paths = lectures()
    if not paths:
        raise Refused(f"no lectures NN_*.ipynb in {NOTEBOOKS}")
    chosen = set()
    for name in names.split():
        matches = [path for path in paths if name.zfill(2) in (path.stem, path.stem[:2])]
        if not matches:
            there_are = ", ".join(path.stem for path in paths)
            raise Refused(f'there is no lecture "{name}"; there are: {there_are}')
        chosen.update(matches)
    return sorted(chosen) or paths


def read(path):
    """Read a notebook; one that is none is refused."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat lets through whatever goes wrong: bad JSON, missing keys
        raise Refused(f"{path} is not a notebook ({type(error).__name__})") from error


def give_parameters(runs, text):
    """Inject the parameters "name=value name=value" into every notebook that has them."""
    given = split_parameters(text)
    known = {run.name: parameters_of(run) for run in runs}
    there_are = ", ".join(sorted(set().union(*known.values()))) or "none"
    for name in given:
        if not any(name in defaults for defaults in known.values()):
            raise Refused(f'no chosen lecture has a parameter "{name}"; there are: {there_are}')
    for run in runs:
        defaults = known[run.name]
        values = {
            name: convert(name, value, defaults[name], run.name)
            for name, value in given.items()
            if name in defaults
        }
        if values:
            run.notebook = inject(run.notebook, values)


def split_parameters(text):
    """Return "seed=3 n_samples=2000" as a dictionary of texts."""
    given = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise Refused(f'"{part}" is no parameter: write name=value, as in seed=3')
        if name in given:
            raise Refused(f'the parameter "{name}" is given twice')
        given[name] = value
    return given


def parameters_of(run):
    """Return names and defaults from the cell tagged "parameters"."""
    source = next((c.source for c in code_cells(run.notebook.cells) if tagged(c, "parameters")), "")
    try:
        return {
            statement.targets[0].id: ast.literal_eval(statement.value)
            for statement in ast.parse(source).body
            if isinstance(statement, ast.Assign)
        }
    except (SyntaxError, ValueError, AttributeError) as error:
        message = f"the parameters cell of {run.name} holds more than name = value"
        raise Refused(message) from error


def convert(name, text, default, lecture):
    """Return the value that `text` stands for, if it is of the default's type."""
    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = text  # a bare word
    if type(value) is int and type(default) is float:
        return float(value)
    if type(value) is not type(default):
        kind = type(default).__name__
        raise Refused(f"{name}={text} is no {kind}: {lecture} has {name} = {default!r}")
    return value


def inject(notebook, values):
    """Return the notebook with papermill's cell that sets `values` after its parameters cell."""
    notebook.metadata["papermill"] = {}  # papermill notes the values here
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # papermill looks at every cell's tags
    return parameterize_notebook(notebook, values, kernel_name="python3", language="python")


def execute_all(runs):
    """Execute the notebooks, several at once.

    This thread draws the bar and looks at the kernels' memory meanwhile.
    """
    n_cells = sum(len(code_cells(run.notebook.cells)) for run in runs)
    with tqdm(total=n_cells, unit="cell") as bar, interrupts_noted() as interrupted:

        def watch(n_done):
            for run in runs:
                note_memory(run)
            bar.update(sum(run.cells_done for run in runs) - bar.n)

        run_in_threads(execute, runs, watch, interrupted)


def execute(run):
    """Execute a notebook in a kernel of its own and store it, whole, if every cell ran."""
    client = NotebookClient(
        run.notebook,
        kernel_name=KERNEL["name"],
        timeout=None,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(run.source.parent)}},
    )
    start = time.perf_counter()
    try:
        # Not client.execute(): interrupted while a kernel starts, it complains when Python exits.
        with client.setup_kernel(env=kernel_environment(), transport_encryption=ENCRYPTION):
            run.kernel_pid = client.km.provisioner.pid
            for index, cell in enumerate(run.notebook.cells):
                run.cell_index = index
                client.execute_cell(cell, index, client.code_cells_executed + 1)
                run.cells_done = client.code_cells_executed
            note_memory(run)
        run.cell_index = None
        store(run.notebook, run.target)
    except CellExecutionError as error:
        run.error = f"{error.ename}: {first_line(error.evalue)}"
    except Exception as error:  # whatever it was, the other lectures still run
        run.error = f"{type(error).__name__}: {first_line(str(error))}"
    run.kernel_pid = None
    run.seconds = time.perf_counter() - start


def kernel_environment():
    """Return the environment of a kernel that gives the same output each time."""
    threads = os.environ.get("COURSE_THREADS") or "1"
    environment = {
        **os.environ,
        "COURSE_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",
    }
    environment.pop("MPLBACKEND", None)  # another backend would show no figures in the notebook
    return environment


def note_memory(run):
    """Keep the most memory that a process of the kernel was seen to have needed.

    All processes, because in a virtual environment on Windows the kernel is a child of the process
    that was started.
    """
    if run.kernel_pid is None:
        return
    with suppress(psutil.Error, OSError):  # the kernel may just have ended
        kernel = psutil.Process(run.kernel_pid)
        processes = [kernel, *kernel.children(recursive=True)]
        run.peak_memory = max(run.peak_memory, *map(peak_memory, processes))


def peak_memory(process):
    """Return the peak in bytes where the system remembers it, else what is in use now."""
    memory = process.memory_info()
    if not psutil.LINUX:
        return getattr(memory, "peak_wset", memory.rss)  # Windows has peak_wset
    status = Path(f"/proc/{process.pid}/status").read_text()
    peaks = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
    return max([memory.rss, *(1024 * peak for peak in peaks)])


def store(notebook, path):
    """Write the notebook, whole or not at all, without what differs from run to run."""
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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


def code_cells(cells):
    """Return those of the cells that are executed."""
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def first_line(text):
    return next(iter(text.strip().splitlines()), "")


if __name__ == "__main__":
    interrupt_on_signals()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that cannot show ‖ still shows the table
    sys.exit(main())
