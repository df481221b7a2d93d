"""Where submissions run: a sandbox of the kernel's own means, for one process and its children.

On Linux, `unshare` gives it namespaces without a network and without other processes, and
`sandbox.sh` a root folder that holds Python, its packages and the library of the course without the
exercises. As root it also becomes another account. Nothing of this needs an installation.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tools.course import ROOT, Refused

NAMESPACES = ["--mount", "--net", "--ipc", "--pid", "--uts", "--fork", "--kill-child=KILL"]
NEEDED = ("unshare", "setpriv", "mount", "pivot_root")
FIRST_USER = 60_100  # accounts that no system gives to a person; those in use are left out
SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
TOOLS = Path(__file__).parent
INSIDE = "/course"  # where the library and the worker lie in the sandbox

MEMORY = 2 * 2**30  # bytes, of all processes of a submission together
LIMITS = {
    "DATA": MEMORY,
    "FSIZE": 2**20,  # bytes in a file
    "NPROC": 40,  # processes and threads
    "NOFILE": 128,
    "CPU": 600,  # seconds; the judge stops what is slow long before
}

LIMITS_ALONE = "limits"  # no sandbox: the same process limits, nothing else


@dataclass(frozen=True)
class Isolation:
    """How submissions are kept apart: "account", "namespace", or "limits" alone."""

    kind: str
    user: int = 0  # of the account, for "account"

    def start(self, scratch):
        """Start a worker.

        Parameters
        ----------
        scratch : Path
            An empty folder, which the worker does not get to see.

        Returns
        -------
        psutil.Popen, and the file descriptors from and to the worker.
        """
        file, paths = self.worker
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()
        options = {"paths": paths, "source": down_read, "target": up_write, "limits": LIMITS}
        try:
            process = psutil.Popen(
                self.command(scratch, str(file), json.dumps(options)),
                env=environment(),
                cwd="/",
                pass_fds=(down_read, up_write),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("COURSE_DEBUG") else subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(down_read)
            os.close(up_write)
        return process, up_read, down_write

    def command(self, scratch, *arguments):
        """The command that runs Python with `arguments` in the sandbox."""
        if self.kind == LIMITS_ALONE:
            return [sys.executable, "-I", *arguments]
        seen = shown()
        return [
            "unshare",
            *([] if self.kind == "account" else ["--user", "--map-root-user"]),
            *NAMESPACES,
            "sh",
            str(TOOLS / "sandbox.sh"),
            str(scratch),
            str(self.user) if self.kind == "account" else "keep",
            *(part for pair in [*seen, *hidden(seen)] for part in pair),
            "--",
            os.path.realpath(sys.executable),
            "-I",  # looks at no folder and no variable but what it is told
            *arguments,
        ]

    @property
    def worker(self):
        """Where the sandbox shows the worker, and its search path."""
        if self.kind == LIMITS_ALONE:
            return TOOLS / "worker.py", [str(TOOLS), str(ROOT)]
        return f"{INSIDE}/worker.py", [INSIDE, *site_folders().values()]


def environment():
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "COURSE_THREADS")
    # What a processor needs for right results is kept, see OpenBLAS.
    kept = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    return {
        **kept,
        **dict.fromkeys(threads, "1"),
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/tmp",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "TQDM_DISABLE": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def site_folders():
    """The folders with installed packages of this interpreter, and where the sandbox shows them."""
    folders = {os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return {folder: f"/site{number}" for number, folder in enumerate(sorted(folders))}


def shown():
    """Pairs of what the sandbox shows and where."""
    pairs = [(name, name) for name in SYSTEM if os.path.exists(name)]
    if not any(Path(sys.base_prefix).is_relative_to(name) for name in SYSTEM):
        pairs.append((sys.base_prefix, sys.base_prefix))
    pairs += site_folders().items()
    pairs += [(str(ROOT / "lecture_utils"), f"{INSIDE}/lecture_utils")]
    pairs += [(str(TOOLS / name), f"{INSIDE}/{name}") for name in ("worker.py", "channel.py")]
    return pairs


def hidden(pairs):
    """Pairs that hide the course, and its exercises wherever a copy is installed."""
    targets = [f"{INSIDE}/lecture_utils/exercises"]
    for source, target in pairs:
        if Path(source) != ROOT and ROOT.is_relative_to(source):
            targets.append(f"{target}/{ROOT.relative_to(source)}")
        for place in (".", f"lib/python{sysconfig.get_python_version()}/site-packages"):
            if (Path(source) / place / "lecture_utils" / "exercises").is_dir():
                targets.append(os.path.normpath(f"{target}/{place}/lecture_utils/exercises"))
    return [("-", target) for target in dict.fromkeys(targets)]


def best_isolation():
    """Return the strongest isolation that works on this machine, tried, one for each account.

    Raises
    ------
    Refused
        When there is none.
    """
    missing = [name for name in NEEDED if not shutil.which(name, path=environment()["PATH"])]
    if sys.platform != "linux" or missing:
        why = f"{', '.join(missing)} missing" if missing else f"this is {sys.platform}, not Linux"
        raise Refused(cannot(why))
    kinds = ["account", "namespace"] if os.getuid() == 0 else ["namespace"]
    faults = []
    for kind in kinds:
        isolation = Isolation(kind, next(free_users()) if kind == "account" else 0)
        fault = try_out(isolation)
        if not fault:
            return isolation
        faults.append(fault)
    raise Refused(cannot(faults[-1]))


def cannot(why):
    return (
        f"this machine cannot isolate submissions ({why}): grade on Linux as root, or where "
        "`unshare --user --net true` works; or, if you trust every submission, "
        "`make grade ISOLATION=limits`"
    )


def try_out(isolation):
    """Start a worker that does nothing; return why it failed, or ""."""
    program = f"import sys; sys.path[:0] = {isolation.worker[1]}; import lecture_utils.divergences"
    with TemporaryDirectory(prefix="course-grade-") as scratch:
        done = subprocess.run(
            isolation.command(scratch, "-c", program),
            env=environment(),
            capture_output=True,
            text=True,
            cwd="/",
        )
    lines = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (lines[-1] if lines else f"status {done.returncode}")


def free_users():
    """Yield numbers of accounts that nobody has and no process uses."""
    in_use = {process.uids().real for process in psutil.process_iter()}
    known = {entry.pw_uid for entry in pwd.getpwall()}
    for user in range(FIRST_USER, FIRST_USER + 800):
        if user not in in_use | known:
            yield user
