"""JupyterHub for a class on one machine:  jupyterhub -f deploy/jupyterhub_config.py

Every student logs in with an account of the system, gets a copy of the notebooks at the first
login, and has a memory limit. README.md beside this file says how to set it up.

HUB_TRIAL=1 is for trying it out: any name, one password, everybody runs as you, this machine alone.
"""

import os
import pwd
import resource
import stat
import subprocess
import sys
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner

COURSE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(COURSE / "deploy"))
from homes import give_notebooks  # noqa: E402  (it lies beside this file)

c = get_config()  # noqa: F821  (JupyterHub gives it)

TRIAL = os.environ.get("HUB_TRIAL") == "1"
STATE = Path(os.environ.get("HUB_STATE", "/srv/jupyterhub"))
PORT = int(os.environ.get("HUB_PORT", "8000"))
GIGABYTES = float(os.environ.get("STUDENT_GB", "2"))
IDLE_SECONDS = int(os.environ.get("IDLE_SECONDS", "1800"))
CLOSED = ("notebooks/solutions", "tests", ".git")  # history and tests hold answers, too
THREADS = ("COURSE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# On this machine alone. Put a web server with a certificate before it: see README.md.
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 81}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.command = os.environ.get("HUB_PROXY", "configurable-http-proxy").split()
c.JupyterHub.db_url = f"sqlite:///{STATE}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{STATE}/cookie_secret"
c.JupyterHub.concurrent_spawn_limit = int(os.environ.get("AT_ONCE", "4"))


def home_of(name):
    return STATE / "homes" / name if TRIAL else Path(pwd.getpwnam(name).pw_dir)


def before_spawn(spawner):
    """Give the notebooks, as the student: root would follow the links in a student's folder."""
    home = home_of(spawner.user.name)
    if TRIAL:
        give_notebooks(COURSE / "notebooks", home / "notebooks")
        return
    account = pwd.getpwnam(spawner.user.name)
    home.chmod(0o700)  # nobody reads another's answers
    subprocess.run(
        [sys.executable, COURSE / "deploy" / "homes.py", COURSE / "notebooks", home / "notebooks"],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd=home,
        check=True,
    )


class Student(SimpleLocalProcessSpawner if TRIAL else LocalProcessSpawner):
    """A server of a student: each of its processes may write so much memory and no more."""

    def make_preexec_fn(self, name):
        become_student = super().make_preexec_fn(name)
        limit = int(GIGABYTES * 2**30)

        def prepare():
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
            if become_student:
                become_student()

        return prepare


if TRIAL:
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = os.environ["HUB_PASSWORD"]
    c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "homes" / "{username}")
else:
    c.JupyterHub.authenticator_class = "pam"
    c.PAMAuthenticator.open_sessions = False
    for path in (COURSE / name for name in CLOSED):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            sys.exit(
                f"refused: students could read {path}: install a copy without it, which "
                "`deploy/for_students.sh FOLDER` writes"
            )
c.Authenticator.allow_all = True  # whoever has an account
c.Authenticator.admin_users = set(os.environ.get("HUB_TEACHERS", "").split())

c.JupyterHub.spawner_class = Student
c.Spawner.pre_spawn_hook = before_spawn
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.args = ["--LabApp.extension_manager=readonly", "--LabApp.news_url=None"]
if TRIAL and os.getuid() == 0:
    c.Spawner.args += ["--allow-root"]
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.environment = {**dict.fromkeys(THREADS, "1"), "PYTHONPATH": str(COURSE)}
c.Spawner.start_timeout = c.Spawner.http_timeout = int(os.environ.get("START_SECONDS", "180"))

# A server that nobody uses ends; the files stay.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE_SECONDS}"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
if TRIAL and "HUB_TOKEN" in os.environ:  # for the simulated students
    c.JupyterHub.services.append({"name": "trial", "api_token": os.environ["HUB_TOKEN"]})
    scopes = ["admin:users", "admin:servers", "tokens", "access:servers"]
    c.JupyterHub.load_roles.append({"name": "trial", "services": ["trial"], "scopes": scopes})
