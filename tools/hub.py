"""Start a JupyterHub for a trial on this machine, or let simulated students try it.

python -m tools.hub
python -m tools.hub --students 5

Any name may log in, with the password that is printed. Its files lie in build/hub until the next
trial begins. `deploy/README.md` says how a class gets one.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tools.course import ROOT, Parser, Refused, claim, command, make_anew
from tools.several import kill_children, run_command

ENVIRONMENT = Path(os.environ.get("COURSE_HUB") or ROOT / ".hub")
SECONDS_TO_START = 180


@command("stopped: the hub and all servers have ended")
def main(arguments=None):
    """Run the hub until it is interrupted, or until the simulated students are done."""
    parser = Parser("hub", __doc__)
    parser.add_argument("--students", type=int, default=0, help="simulate so many at once")
    parser.add_argument("--port", type=int, default=0)
    parser.add_output()
    options = parser.parse_args(arguments)
    claim(options.output)
    state = options.output / "hub"
    make_anew_inside(state)
    port = options.port or free_ports()
    environment = settings(state, port)
    hub = start(environment, state / "hub.log")
    try:
        wait_until_it_answers(hub, port, state / "hub.log")
        if options.students:
            from tools.hub_students import try_out

            return try_out(port, environment["HUB_TOKEN"], options.students, hub.pid)
        password = environment["HUB_PASSWORD"]
        print(f"\nhttp://127.0.0.1:{port}  any name, password {password}  (Ctrl-C ends it)")
        hub.wait()
        raise Refused(f"the hub ended by itself: {state / 'hub.log'} says why")
    finally:
        stop(hub)


def make_anew_inside(folder):
    """Empty a folder of the trial: it may be build/hub of an earlier one."""
    folder.mkdir(exist_ok=True)
    (folder / ".made-by-the-course").touch()
    make_anew(folder)


def settings(state, port):
    """The environment variables of the configuration, for a trial."""
    proxy = ENVIRONMENT / "node_modules" / ".bin" / "configurable-http-proxy"
    if not proxy.exists() or not python().exists():
        raise Refused(f"{ENVIRONMENT} does not hold JupyterHub and its proxy: `make hub` makes it")
    return {
        **os.environ,
        "HUB_TRIAL": "1",
        "HUB_STATE": str(state),
        "HUB_PORT": str(port),
        "HUB_PASSWORD": secrets.token_urlsafe(6),
        "HUB_TOKEN": secrets.token_hex(16),
        "HUB_PROXY": str(proxy),
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16),
        "PYTHONPATH": str(ROOT),
    }


def python():
    return ENVIRONMENT / "venv" / "bin" / "python"


def start(environment, log):
    with log.open("wb") as file:
        return subprocess.Popen(
            [python(), "-m", "jupyterhub", "-f", ROOT / "deploy" / "jupyterhub_config.py"],
            cwd=environment["HUB_STATE"],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_it_answers(hub, port, log):
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if hub.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise Refused(f"the hub did not start: {lines[-1] if lines else log}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/hub/api", timeout=5) as answer:
                if "version" in json.load(answer):
                    return
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.3)
    raise Refused(f"the hub gave no answer for {SECONDS_TO_START} seconds: {log}")


def free_ports():
    """Return a port such that it, the next one and the one 81 further are free."""
    for port in range(18_000, 20_000, 7):
        if all(is_free(port + offset) for offset in (0, 1, 81)):
            return port
    raise Refused("no free port between 18000 and 20000")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def stop(hub):
    """End the hub, its proxy, and every server and kernel that it started."""
    family = psutil.Process(hub.pid).children(recursive=True) if hub.poll() is None else []
    if hub.poll() is None:
        hub.send_signal(signal.SIGTERM)
        try:
            hub.wait(20)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
    for process in family:
        try:
            process.kill()
        except psutil.Error:
            continue
    kill_children()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    run_command(main)
