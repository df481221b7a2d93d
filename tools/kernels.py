"""One notebook in one kernel: its environment, its memory, its errors, and storing it.

A kernel is always the interpreter that runs the tool, with this folder's lecture_utils: kernels
that are installed elsewhere, for whatever user, are not asked.
"""

import logging
import os
import re
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import course
from tools.cells import is_injected
from tools.course import ROOT, Refused, code_cells, first_line

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
THREADS = ("COURSE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# What would change a kernel behind its back: matplotlib would show no figures, IPython would add
# the packages of an environment that happens to be active, or run a file of the user's first,
# Jupyter would start it by other means.
FOREIGN = ("MPLBACKEND", "VIRTUAL_ENV", "PYTHONSTARTUP", "JUPYTER_DEFAULT_PROVISIONER_NAME")

# Without it a kernel warns on the terminal that other users of the machine could listen.
ENCRYPTION = "auto" if zmq.has("curve") else "disabled"

# A frame of a cell in IPython's traceback, without its colours.
FRAME = re.compile(r"Cell In\[(\d+)\], line (\d+)")
COLOURS = re.compile(r"\x1b\[[\d;]*m")


# What a kernel is, as in a kernel.json.
SPEC = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": KERNEL["display_name"],
    "language": KERNEL["language"],
    "metadata": {
        "debugger": True,
        "supported_encryption": ["curve"],
        "kernel_provisioner": {"provisioner_name": "local-provisioner"},
    },
}


class OwnInterpreter(KernelSpecManager):
    """Knows one kernel, the interpreter that runs this tool, under every name."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**SPEC)


@dataclass
class Run:
    """One notebook: what is executed where, and what came of it."""

    source: Path
    target: Path
    notebook: nbformat.NotebookNode
    kernel_pid: int | None = None
    cell_index: int | None = None  # of the cell that is being executed
    failed_line: str = ""  # of that cell, where it is known
    cells_done: int = 0
    seconds: float = 0.0
    peak_memory: int = 0  # bytes
    error: str = ""  # one line; empty when every cell ran

    @property
    def name(self):
        return self.source.relative_to(course.NOTEBOOKS).with_suffix("").as_posix()

    @property
    def claims(self):
        """How many claims the notebook printed as confirmed."""
        outputs = [output for cell in code_cells(self.notebook.cells) for output in cell.outputs]
        texts = [output.text for output in outputs if output.output_type == "stream"]
        return sum(line.startswith("✓ ") for text in texts for line in text.splitlines())

    def where(self):
        """Name what failed: the number of the cell in the source, and the line."""
        if self.cell_index is None:
            return "outside its cells"
        cells = code_cells(self.notebook.cells[: self.cell_index + 1])
        number = sum(not is_injected(cell) for cell in cells)
        return f"cell {number}{self.failed_line or f': {first_line(cells[-1].source)}'}"


def execute(run):
    """Execute a notebook in a kernel of its own and store it, whole, if every cell ran."""
    start = time.perf_counter()
    options = {"timeout": None, "record_timing": False, "coalesce_streams": True}
    try:
        with kernel(run.notebook, run.source.parent, **options) as client:
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
        run.failed_line = failed_line(run.notebook.cells[run.cell_index])
    except Exception as error:  # whatever it was, the other lectures still run
        run.error = f"{type(error).__name__}: {first_line(str(error))}"
    run.kernel_pid = None
    run.seconds = time.perf_counter() - start


@contextmanager
def kernel(notebook, folder, **options):
    """Start a kernel in `folder` and yield nbclient's client, with `options`; end the kernel."""
    # What Jupyter and IPython write goes into a folder of its own: a home may be read-only, and
    # the user's IPython profile may hold code.
    with TemporaryDirectory(prefix="course-kernel-", ignore_cleanup_errors=True) as scratch:
        manager = AsyncKernelManager(
            kernel_name=KERNEL["name"],
            kernel_spec_manager=OwnInterpreter(),
            connection_file=str(Path(scratch) / "kernel.json"),
        )
        resources = {"metadata": {"path": str(folder)}}
        # Killed at its end: a kernel that is asked to stop may complain on the terminal that its
        # sockets are closed while it still reads from them.
        options["shutdown_kernel"] = "immediate"
        client = NotebookClient(notebook, km=manager, resources=resources, **options)
        environment = kernel_environment() | own_folders(scratch)
        # Not client.execute(): interrupted while a kernel starts, it complains when Python exits.
        with client.setup_kernel(env=environment, cleanup_kc=True, transport_encryption=ENCRYPTION):
            yield client


def kernel_environment():
    """Return the environment of a kernel that gives the same output each time."""
    environment = {
        **os.environ,
        **dict.fromkeys(THREADS, os.environ.get("COURSE_THREADS") or "1"),
        "PYTHONPATH": python_path(),
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",
        "MPLCONFIGDIR": matplotlib_folder(),
    }
    return {name: value for name, value in environment.items() if name not in FOREIGN}


def python_path(*before):
    """Return a PYTHONPATH with the folders `before`, then the course, then what the user has."""
    if os.pathsep in str(ROOT):
        raise Refused(f'Python finds no library in a folder with "{os.pathsep}": rename {ROOT}')
    others = os.environ.get("PYTHONPATH")
    return os.pathsep.join(filter(None, [*map(str, before), str(ROOT), others]))


def matplotlib_folder():
    """Return where matplotlib keeps its list of fonts, a temporary folder if home is read-only.

    As MPLCONFIGDIR it also keeps a user's own matplotlibrc out of the figures. The list is made
    here, because a kernel would say so in the outputs of a notebook.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # before it says so here
    import matplotlib.font_manager

    return matplotlib.get_cachedir()


def own_folders(scratch):
    """Return the variables that make IPython and Jupyter write into the folder `scratch`."""
    return {"IPYTHONDIR": f"{scratch}/ipython", "JUPYTER_RUNTIME_DIR": f"{scratch}/jupyter"}


def failed_line(cell):
    """Return ", line 3: source" of the line of `cell` where its error was raised, or "" """
    errors = [output for output in cell.outputs if output.output_type == "error"]
    text = COLOURS.sub("", "\n".join(line for error in errors for line in error.traceback))
    # The last of this cell's frames: a function that it defines, rather than where it calls it.
    numbers = [
        int(line) for count, line in FRAME.findall(text) if int(count) == cell.execution_count
    ]
    lines = cell.source.splitlines()
    if not numbers or numbers[-1] > len(lines):
        return ""
    return f", line {numbers[-1]}: {lines[numbers[-1] - 1].strip()}"


def note_memory(run):
    """Keep the most memory that a process of the kernel was seen to have needed.

    All processes, because in a virtual environment on Windows the kernel is a child of the process
    that was started.
    """
    if run.kernel_pid is None:
        return
    with suppress(psutil.Error, OSError):  # the kernel may just have ended
        process = psutil.Process(run.kernel_pid)
        processes = [process, *process.children(recursive=True)]
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
