"""lectures and solutions within the limits of a free Binder: one core and 1 GB.

JupyterLab is started as `make lab` starts it, bound to one core, on a copy of the notebooks. One
after the other they are opened and every cell is run, by the protocol that a browser speaks. The
memory is the peak of JupyterLab and kernel together, in two measures that enclose the truth. PSS,
sampled five times a second, counts a page that n processes share as 1/n in each: too little when
other programs use the same libraries. RSS is the sum of the peaks that the system remembers, with a
shared page whole in each: too much. The last column is RSS in units of 1 GB: below 1 it fits.
"first figure" is the seconds from opening a notebook, kernel start included, to its first picture.
"CPU" is what the kernel computed for: where "seconds" is much more, the core was shared with other
programs. The first row is the start of JupyterLab alone. Needs Linux.
"""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil
import websocket
from tqdm import tqdm

from tools.course import NOTEBOOKS, ROOT, code_cells, first_line, lectures, solutions
from tools.kernels import peak_memory

LIMIT = 1e9  # bytes
HEADER = ("notebook", "seconds", "CPU", "first figure", "PSS (MB)", "RSS (MB)", "of 1 GB")


def rows():
    if not psutil.LINUX:
        return [("not measured: needs Linux", "", "", "", "", "", "")]
    paths = [*lectures(), *solutions()]
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        server = (
            "JupyterLab alone",
            f"{lab.start_seconds:.1f}",
            "",
            "",
            *lab.memory(),
        )
        return [server, *(run(lab, path) for path in tqdm(paths, unit="notebook"))]


class KernelDied(Exception):
    """JupyterLab has to start the kernel anew: so it goes when the memory is used up."""


class Lab:
    """A running JupyterLab: requests to it, and its peak memory since the last question."""

    def __init__(self, process, address, token):
        self.process, self.address, self.token = process, address, token
        self.pss = self.rss = 0
        self.start_seconds = 0.0

    def request(self, path, method="GET", content=None):
        """Return the answer of JupyterLab's REST interface; `content` becomes JSON."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        url = f"{self.address}/{path}"
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def sample(self):
        """Note the memory that the server and all its children have now."""
        with suppress(psutil.Error):  # a process may end while it is looked at
            main = psutil.Process(self.process.pid)
            processes = [main, *main.children(recursive=True)]
            self.pss = max(self.pss, sum(p.memory_full_info().pss for p in processes))
            self.rss = max(self.rss, sum(peak_memory(p) for p in processes))

    def memory(self):
        """Return the last three columns, and start the peak anew."""
        self.sample()
        columns = f"{self.pss / 1e6:.0f}", f"{self.rss / 1e6:.0f}", f"{self.rss / LIMIT:.2f}"
        self.pss = self.rss = 0
        return columns

    def cpu_seconds(self):
        """Return how long the processes that JupyterLab started, the kernel, have computed."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        times = [child.cpu_times() for child in children]
        return sum(time.user + time.system for time in times)


@contextmanager
def running_lab(folder):
    """Start JupyterLab on a copy of the notebooks in `folder`; end it with all its kernels."""
    for name in ("notebooks", "tools"):
        shutil.copytree(ROOT / name, folder / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = ["taskset", "-c", "0", sys.executable, "-m", "tools.lab", "--no-browser"]
    command += ["--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += ["--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}"]
    start = time.perf_counter()
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    lab = Lab(process, f"http://127.0.0.1:{port}", token)
    done = threading.Event()
    sampler = threading.Thread(target=sample_until, args=(lab, done))
    try:
        wait_until_it_answers(lab)
        lab.start_seconds = time.perf_counter() - start
        sampler.start()
        yield lab
    finally:
        done.set()
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # it waits for a kernel that died
            process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def sample_until(lab, done):
    while not done.wait(0.2):
        lab.sample()


def wait_until_it_answers(lab):
    for _ in range(300):
        with suppress(OSError):
            lab.request("lab")  # the page itself
            return
        time.sleep(0.2)
    raise TimeoutError("JupyterLab did not answer within a minute")


def run(lab, path):
    """Open a notebook, run its cells, close its kernel; return its row."""
    name = path.relative_to(NOTEBOOKS).as_posix()
    lab.memory()
    start = time.perf_counter()
    lab.request(f"api/contents/notebooks/{name}")
    kernel = {"path": f"notebooks/{name}", "type": "notebook", "name": "", "kernel": {"name": ""}}
    session = json.loads(lab.request("api/sessions", "POST", kernel))
    address = lab.address.replace("http", "ws", 1)
    channel = f"{address}/api/kernels/{session['kernel']['id']}/channels?token={lab.token}"
    figure, error = None, ""
    connection = websocket.create_connection(channel, timeout=600)
    try:
        for cell in code_cells(nbformat.read(path, as_version=4).cells):
            for message in replies(connection, cell.source):
                if "image/png" in message["content"].get("data", {}):
                    figure = figure or time.perf_counter() - start
                if message["msg_type"] == "error":
                    error = first_line(f"{message['content']['ename']}: {cell.source}")
    except KernelDied as death:
        error = str(death)
    finally:
        connection.close()
    seconds = time.perf_counter() - start
    columns = (f"{lab.cpu_seconds():.1f}", shown(figure), *lab.memory())
    with suppress(urllib.error.HTTPError):  # a kernel that died may be just starting again
        lab.request(f"api/sessions/{session['id']}", "DELETE")
    return (f"{name} {error}".strip(), f"{seconds:.1f}", *columns)


def shown(seconds):
    return "none" if seconds is None else f"{seconds:.1f}"


def replies(connection, source):
    """Have the kernel execute `source`; yield its messages until it is idle."""
    identifier = secrets.token_hex(16)
    header = {"msg_id": identifier, "msg_type": "execute_request", "username": "", "version": "5.3"}
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    connection.send(json.dumps({**request, "channel": "shell", "buffers": []}))
    while True:
        message = json.loads(connection.recv())
        if message["content"].get("execution_state") in ("autorestarting", "restarting", "dead"):
            raise KernelDied(f"the kernel died in: {first_line(source)}")
        if message["parent_header"].get("msg_id") != identifier:
            continue
        yield message
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return
