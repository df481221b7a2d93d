"""Run by test_hub.py among accounts ann and bob: log in as both, look from one at the other."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.hub import free_ports, stop, wait_until_it_answers
from tools.hub_students import Hub, kernel_of, run, start_server

STATE = Path("/srv/state")
PROBES = """
import json, os, getpass
from pathlib import Path
import numpy as np
found = {}

def look(name, action):
    try:
        action()
        found[name] = "read"
    except BaseException as error:
        found[name] = type(error).__name__

found["ann is"] = getpass.getuser()
look("own notebook", lambda: Path("00_start_here.ipynb").read_text())
look("bob's notebook", lambda: Path("/home/bob/notebooks/00_start_here.ipynb").read_text())
look("bob's home", lambda: os.listdir("/home/bob"))
look("solutions", lambda: os.listdir("/srv/course/notebooks/solutions"))
look("tests", lambda: os.listdir("/srv/course/tests"))
look("state of the hub", lambda: open("/srv/state/hub.sqlite").read())
look("bob's kernel", lambda: os.kill(BOB, 9))
look("three gigabytes", lambda: np.ones(400_000_000))
print("FOUND" + json.dumps(found))
"""


def log_in(address, name, password):
    """Log in as a browser does; returns a token, or None when the password was refused."""
    session = requests.Session()
    page = session.get(f"{address}/hub/login", timeout=60)
    token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
    form = {"username": name, "password": password, "_xsrf": token}
    session.post(f"{address}/hub/login", data=form, timeout=60, allow_redirects=False)
    session.get(f"{address}/hub/home", timeout=60)
    cookies = {cookie.name: cookie.value for cookie in session.cookies if cookie.path == "/hub/"}
    answer = session.post(
        f"{address}/hub/api/users/{name}/tokens",
        json={"note": "test"},
        headers={"X-XSRFToken": cookies.get("_xsrf", ""), "Referer": f"{address}/hub/token"},
        timeout=60,
    )
    return answer.json().get("token") if answer.ok else None


async def look(address):
    found = {}
    wrong = log_in(address, "ann", "secret-bob")
    found["wrong password"] = "refused" if wrong is None else "let in"
    sockets = {}
    for name in ("bob", "ann"):
        hub = Hub(address, log_in(address, name, f"secret-{name}"))
        await start_server(hub, name)
        sockets[name] = await kernel_of(hub, name)
    await run(sockets["bob"], ["1"])
    [kernel] = [
        process.pid
        for process in psutil.process_iter(["cmdline", "username"])
        if process.info["username"] == "bob" and "ipykernel_launcher" in process.info["cmdline"]
    ]
    printed = await run(sockets["ann"], [f"BOB = {kernel}", PROBES])
    return found | json.loads(printed.partition("FOUND")[2] or json.dumps({"printed": printed}))


def main():
    port = free_ports()
    environment = {name: value for name, value in os.environ.items() if "HUB" not in name}
    environment |= {
        "HUB_STATE": str(STATE),
        "HUB_PORT": str(port),
        "HUB_PROXY": "/srv/hub/node_modules/.bin/configurable-http-proxy",
    }
    log = STATE / "hub.log"
    configuration = "/srv/course/deploy/jupyterhub_config.py"
    hub = subprocess.Popen(
        ["/srv/hub/venv/bin/python", "-m", "jupyterhub", "-f", configuration],
        cwd=STATE,
        env=environment,
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until_it_answers(hub, port, log)
        print(json.dumps(asyncio.run(look(f"http://127.0.0.1:{port}"))))
    except BaseException:
        print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
        raise
    finally:
        stop(hub)


if __name__ == "__main__":
    main()
