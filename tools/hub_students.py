"""Simulated students: each logs in, runs lecture 01, and solves its exercises, all at once."""

import asyncio
import itertools
import json
import statistics
import time
import uuid

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tools.course import NOTEBOOKS, code_cells, read

LECTURE = "01_kl_divergence.ipynb"
STEPS = ("log in", "kernel", "lecture", "exercises")
SECONDS = 600  # for one step


def try_out(port, token, n_students, hub_pid):
    """Let `n_students` work at once, print what it took, and return 1 if one of them failed."""
    AsyncHTTPClient.configure(None, max_clients=4 * n_students)
    results, memory = asyncio.run(everybody(f"http://127.0.0.1:{port}", token, n_students, hub_pid))
    failed = [result for result in results if not isinstance(result, dict)]
    done = [result for result in results if isinstance(result, dict)]
    print(f"\n{'':10}  median (s)  longest (s)")
    for step in STEPS if done else ():
        seconds = [result[step] for result in done]
        print(f"{step:10}  {statistics.median(seconds):10.1f}  {max(seconds):11.1f}")
    for what, size in memory.items():
        print(f"{what}: {size / 1e6:.0f} MB")
    n_good = sum(result["good"] for result in done)
    print(f"{n_good} of {n_students} students ran the lecture and solved its exercises")
    for error in [*failed, *(result["said"] for result in done if not result["good"])]:
        print(f"failed: {error!r:.300}")
    return 0 if n_good == n_students else 1


async def everybody(hub, token, n_students, hub_pid):
    lecture = sources(NOTEBOOKS / LECTURE)
    exercises = sources(NOTEBOOKS / "solutions" / LECTURE)
    held = asyncio.Event()  # memory is measured while all kernels are there
    held.waiting = 0
    work = [
        asyncio.create_task(student(Hub(hub, token), f"student{n:02d}", lecture, exercises, held))
        for n in range(n_students)
    ]
    while held.waiting + sum(task.done() for task in work) < n_students:
        await asyncio.sleep(0.1)
    memory = memory_of(hub_pid, n_students)
    held.set()
    return await asyncio.gather(*work, return_exceptions=True), memory


def sources(path):
    return [cell.source for cell in code_cells(read(path).cells)]


class Hub:
    """The hub's REST interface, as one student or as the trial's service."""

    def __init__(self, address, token):
        self.address, self.token = address, token

    async def __call__(self, method, path, body=None):
        request = HTTPRequest(
            self.address + path,
            method=method,
            headers={"Authorization": f"token {self.token}"},
            body=json.dumps(body or {}) if method == "POST" else None,
            request_timeout=SECONDS,
        )
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body or b"null")


async def student(hub, name, lecture, exercises, held):
    """Do what a student does and return the seconds of each step."""
    times = [time.perf_counter()]
    await hub("POST", f"/hub/api/users/{name}")
    await start_server(hub, name)
    times.append(time.perf_counter())
    socket = await kernel_of(hub, name)
    times.append(time.perf_counter())
    printed = await run(socket, lecture)
    times.append(time.perf_counter())
    solved = await run(socket, exercises)
    times.append(time.perf_counter())
    held.waiting += 1
    await held.wait()
    socket.close()
    n_solved = solved.count(": correct")
    good = "✓" in printed and n_solved == 3 and "ERROR" not in printed + solved
    seconds = [end - begin for begin, end in itertools.pairwise(times)]
    return {
        **dict(zip(STEPS, seconds, strict=True)),
        "good": good,
        "said": (printed + solved)[-300:],
    }


async def kernel_of(hub, name):
    """Start a kernel on the server of a student; returns the web socket to it."""
    answer = await hub("POST", f"/hub/api/users/{name}/tokens", {"note": "trial"})
    mine = Hub(hub.address, answer["token"])
    kernel = await mine("POST", f"/user/{name}/api/kernels", {"path": "notebooks"})
    address = f"{hub.address}/user/{name}/api/kernels/{kernel['id']}/channels"
    headers = {"Authorization": f"token {mine.token}"}
    return await websocket_connect(
        HTTPRequest(address.replace("http", "ws", 1), headers=headers), max_message_size=2**27
    )


async def start_server(hub, name):
    """Ask for a server until the hub has room to start it, and wait until it is ready."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            await hub("POST", f"/hub/api/users/{name}/server")
            break
        except HTTPClientError as error:
            if error.code != 429:  # "too many are starting, come back later"
                raise
            await asyncio.sleep(1)
    while time.monotonic() < end:
        user = await hub("GET", f"/hub/api/users/{name}")
        if user["servers"].get("", {}).get("ready"):
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"{name} has no server after {SECONDS} seconds")


async def run(socket, cells):
    """Run cells in the kernel and return what they printed, with a line for each error."""
    printed = []
    for source in cells:
        identity = uuid.uuid4().hex
        await socket.write_message(json.dumps(request(identity, source)))
        while True:
            message = json.loads(await asyncio.wait_for(socket.read_message(), SECONDS))
            if message["parent_header"].get("msg_id") != identity:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    printed.append(content["text"])
                case "error":
                    printed.append(f"ERROR {content['ename']}: {content['evalue']}\n")
                case "status" if content["execution_state"] == "idle":
                    break
    return "".join(printed)


def request(identity, source):
    header = {"msg_id": identity, "msg_type": "execute_request", "session": identity}
    header |= {"username": "", "version": "5.3", "date": ""}
    content = {"code": source, "silent": False, "store_history": False, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    return {**message, "channel": "shell", "buffers": []}


def memory_of(hub_pid, n_students):
    """Bytes that nobody shares: of the hub with its proxy, and of a student's server and kernel."""
    hub, students = 0, 0
    for process in [psutil.Process(hub_pid), *psutil.Process(hub_pid).children(recursive=True)]:
        try:
            size, line = process.memory_full_info().uss, " ".join(process.cmdline())
        except psutil.Error:
            continue
        if "singleuser" in line or "ipykernel" in line:
            students += size
        else:
            hub += size
    return {"hub and proxy": hub, "a student": students / n_students}
