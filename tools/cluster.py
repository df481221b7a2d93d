"""A sweep on an existing Dask cluster. Workers that are lost lose nothing, nor does an interrupt.

Needs `dask.distributed` (requirements-cluster.txt), the same Python packages and the same course on
every machine: workers start in the course's folder, `dask worker tcp://HOST:8786 --nthreads 1`.
"""

import re
import socket
import sys
import time

from tools import sweeping
from tools.course import Refused
from tools.kept import digest_of

PARTS = ("lecture_utils/**/*.py", "lecture_utils/data/*", "tools/*.py")
ADDRESS = re.compile(r"(?:tcp|tls)://\[?([^\s/\]]+)\]?:(\d+)")
SECONDS_TO_STOP = 30


def run_there(task):
    """Run a task on a worker; end its kernel when the scheduler takes the task back."""
    if course() != task.course:
        raise RuntimeError("this worker's folder holds another version of the course")
    from distributed import get_worker

    worker = get_worker()
    return sweeping.run(task, lambda: Withdrawn(worker, worker.get_current_task()))


class Withdrawn:
    """An event that is set when a worker's task was cancelled, or the client is gone."""

    def __init__(self, worker, key):
        self.worker, self.key = worker, key

    def wait(self, seconds):
        time.sleep(seconds)
        task = self.worker.state.tasks.get(self.key)
        return task is None or task.state == "cancelled"


def course():
    """Fingerprint of the course in this process's folder."""
    return digest_of(*PARTS)


def n_kernels():
    """How many kernels this worker runs."""
    return len(sweeping.running)


def run_on(address, tasks, finished, tick, interrupted):
    """Run tasks on the cluster at `address`.

    Parameters
    ----------
    tasks : list of Task
    finished : function
        Called with a task and its result as soon as it is there.
    tick : function
        Called several times a second.
    interrupted : threading.Event
        When it is set, what has not finished is taken back.

    Raises
    ------
    Refused
        When there is no scheduler, it goes away, or its workers do not have this course.
    """
    client = connect(address)
    try:
        wait_for_worker(client, address, interrupted)
        refuse_other_courses(client)
        pending = {client.submit(run_there, task, pure=False): task for task in tasks}
        while pending and not interrupted.is_set():
            wait_for_worker(client, address, interrupted)
            for future in [future for future in pending if future.done()]:
                finished(pending.pop(future), result_of(future))
            tick()
            time.sleep(0.2)
        if interrupted.is_set():
            take_back(client, list(pending))
    finally:
        client.close(timeout=5)


def connect(address):
    try:
        from distributed import Client
    except ImportError as error:
        raise Refused(
            "SCHEDULER needs dask.distributed: `pip install -r requirements-cluster.txt`"
        ) from error
    match = ADDRESS.fullmatch(address)
    if not match:
        raise Refused(f'SCHEDULER="{address}" is no address: write tcp://host:8786')
    try:  # first by itself: a client that finds nobody needs half a minute to end
        socket.create_connection((match[1], int(match[2])), timeout=10).close()
        return Client(address, timeout=30, set_as_default=False)
    except (OSError, OverflowError, ValueError) as error:
        raise Refused(f"no Dask scheduler answers at {address}: {error}") from error


def wait_for_worker(client, address, interrupted):
    """Wait until the scheduler has a worker, and say so when it has none."""
    waits = False
    while not interrupted.is_set():
        try:
            if client.status == "running" and client.nthreads():
                return
        except OSError:  # it went away at this moment
            pass
        if client.status != "running":
            raise Refused(
                f"the scheduler {address} went away; what was finished is kept, the same "
                "command goes on from there"
            )
        if not waits:
            print(
                f"no workers: start `dask worker {address} --nthreads 1` in the course's folder",
                file=sys.stderr,
            )
        waits = True
        time.sleep(0.5)


def refuse_other_courses(client):
    """Refuse workers that have no course, or another one: their results would be others."""
    ours = course()
    theirs = client.run(course, on_error="return")
    for address, answer in theirs.items():
        if isinstance(answer, Exception):  # outside the folder there is no module to run
            raise Refused(f"start the worker {address} in the course's folder: {answer}")
    others = [address for address, digest in theirs.items() if digest != ours]
    if others:
        raise Refused(f"another version of the course lies on {', '.join(others)}")


def result_of(future):
    if future.status == "finished":
        return future.result()
    error = future.exception() if future.status == "error" else None
    if type(error).__name__ == "KilledWorker":
        error = "the workers that ran it were lost, one after the other: memory?"
    return {"not run": f"{sweeping.NOT_RUN}{error or future.status}"}


def take_back(client, futures):
    """Cancel tasks and wait until no worker runs a kernel."""
    client.cancel(futures, force=True)
    end = time.monotonic() + SECONDS_TO_STOP
    while any(client.run(n_kernels).values()) and time.monotonic() < end:
        time.sleep(0.2)
