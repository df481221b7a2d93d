"""What a submission's process can reach: tried from the inside, as account and as namespace."""

import os
import socket

import pytest
from conftest import ROOT

from tools import isolation as isolation_module
from tools.course import Refused
from tools.isolation import Isolation, best_isolation, free_users, try_out
from tools.submission import Submission

PROBES = """
import os, socket, subprocess
from pathlib import Path
from lecture_utils.exercises import check
from lecture_utils.divergences import kl_divergence

PATHS = []

def reads(*codes):
    path = "".join(map(chr, codes))
    try:
        return 1 if os.listdir(path) else 0
    except NotADirectoryError:
        return int(len(open(path, "rb").read(1)) >= 0)
    except OSError:
        return 0

def writes(*codes):
    try:
        with open("".join(map(chr, codes)) + "/written", "w") as file:
            file.write("x")
        return 1
    except OSError:
        return 0

def connects(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()
        return 1
    except OSError:
        return 0

def is_allowed(what):
    tries = [
        lambda: os.setuid(0) if os.getuid() else os.chown("/tmp", 1, 1),
        lambda: subprocess.run(["mount", "-t", "tmpfs", "x", "/tmp"], check=True),
        lambda: os.chroot("/tmp"),
        lambda: os.kill(-1, 0) if len(os.listdir("/proc")) < 2 else os.kill(int(PARENT), 0),
        lambda: os.mknod("/tmp/device", 0o060600, os.makedev(254, 0)),
        lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10)),
        lambda: os.nice(-5),
        lambda: os.symlink("/", "/usr/link"),
    ]
    try:
        tries[int(what)]()
        return 1
    except (OSError, subprocess.CalledProcessError, NameError):
        return 0

def processes():
    return sum(name.isdigit() for name in os.listdir("/proc"))

def number_of_user():
    return os.getuid()

def right_answer():
    return float(kl_divergence([0.5, 0.5], [0.5, 0.5]))

for function in (
    reads, writes, connects, is_allowed, processes, number_of_user, right_answer
):
    check(function.__name__, function)
"""


@pytest.fixture(scope="module", params=["account", "namespace"])
def inside(request):
    """Functions that run in the sandbox, by name."""
    if request.param == "account" and (not hasattr(os, "getuid") or os.getuid() != 0):
        pytest.skip("another account needs root")
    kind = Isolation(request.param, next(free_users()))
    fault = try_out(kind)
    if fault:
        pytest.skip(f"no sandbox on this machine: {fault}")
    with Submission([PROBES], kind) as submission:
        submission.ready()
        assert submission.errors == {}
        yield {name: function for _, name, function in submission.checked} | {"kind": kind}


def codes(path):
    return [ord(letter) for letter in str(path)]


def test_the_library_works(inside):
    assert inside["right_answer"]() == 0
    assert inside["reads"](*codes("/course/lecture_utils/data")) == 1


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "lecture_utils" / "exercises" / "judge.py",
        ROOT / "notebooks",
        ROOT,
        "/course/lecture_utils/exercises",
        "/course/lecture_utils/exercises/judge.py",
        "/home",
        "/etc/passwd",
        "/etc/shadow",
        "/proc/1/root/etc/passwd",
        "/before",
        "/var",
        "/run",
        "/sys",
        "/work",
        "/opt",
    ],
)
def test_it_reads_no_file_that_it_does_not_need(inside, path):
    assert inside["reads"](*codes(path)) == 0


def test_it_reads_no_submission_of_another(inside, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "for everybody").write_text("42")
    (tmp_path / "for everybody").chmod(0o666)
    assert inside["reads"](*codes(tmp_path / "for everybody")) == 0


@pytest.mark.parametrize("path", ["/", "/course", "/site0", "/usr", "/usr/lib", "/dev", "/bin"])
def test_it_writes_nothing_but_its_own_temporary_files(inside, path):
    assert inside["writes"](*codes(path)) == 0
    assert inside["writes"](*codes("/tmp")) == 1


def test_it_reaches_no_server_of_this_machine(inside):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert inside["connects"](server.getsockname()[1]) == 0
        with socket.create_connection(server.getsockname()):  # it does answer, outside
            server.accept()[0].close()


def test_it_has_no_rights(inside):
    assert [inside["is_allowed"](what) for what in range(8)] == [0] * 8
    assert inside["processes"]() == 1  # itself
    if inside["kind"].kind == "account":
        assert inside["number_of_user"]() == inside["kind"].user


def test_a_machine_that_cannot_isolate_is_refused(monkeypatch):
    monkeypatch.setattr(isolation_module, "NEEDED", ("unshare", "no-such-command"))
    with pytest.raises(Refused, match=r"no-such-command missing.*ISOLATION=limits"):
        best_isolation()


def test_namespaces_that_are_not_allowed_are_refused(monkeypatch):
    monkeypatch.setattr(isolation_module, "NAMESPACES", ["--no-such-namespace"])
    with pytest.raises(Refused, match=r"cannot isolate submissions"):
        best_isolation()
