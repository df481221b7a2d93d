"""A JupyterHub for a class: what it hands out, its configuration, and students who use it at once.

The last tests need `make hub`'s environment (.hub, or where COURSE_HUB says).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
import yaml
from conftest import ROOT

from tools import hub

sys.path.insert(0, str(ROOT / "deploy"))

from collect import collect
from homes import give_notebooks

HERE = ROOT / "tests"
ready = pytest.mark.skipif(
    not (hub.ENVIRONMENT / "node_modules" / ".bin" / "configurable-http-proxy").exists(),
    reason="no JupyterHub here: `make hub` installs it into .hub",
)


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_student_gets_the_notebooks_without_solutions(tmp_path):
    give_notebooks(ROOT / "notebooks", tmp_path / "notebooks")
    given = files(tmp_path / "notebooks")
    assert {"00_start_here.ipynb", "exercises/01_kl_divergence.ipynb"} <= given
    assert not any("solutions" in name or "checkpoint" in name for name in given)


def test_what_a_student_changed_stays(tmp_path):
    source, home = tmp_path / "course", tmp_path / "home"
    source.mkdir()
    (source / "01.ipynb").write_text("new")
    give_notebooks(source, home)
    (home / "01.ipynb").write_text("mine")
    (source / "02.ipynb").write_text("later")
    assert [path.name for path in give_notebooks(source, home)] == ["02.ipynb"]
    assert (home / "01.ipynb").read_text() == "mine"
    assert give_notebooks(source, home) == []


def test_a_student_s_link_leads_the_copy_nowhere(tmp_path):
    source, home, elsewhere = tmp_path / "course", tmp_path / "home", tmp_path / "elsewhere"
    (source / "exercises").mkdir(parents=True)
    (source / "exercises" / "01.ipynb").write_text("new")
    home.mkdir()
    elsewhere.mkdir()
    (home / "exercises").symlink_to(elsewhere)
    give_notebooks(source, home)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without fifos")
def test_plain_files_alone_are_collected(tmp_path):
    """A link to another's folder or file gives nothing; a fifo stops nobody."""
    homes, target = tmp_path / "home", tmp_path / "collected"
    for name in ("ann", "bob", "cat", "dan"):
        (homes / name / "notebooks").mkdir(parents=True)
    for name in ("bob", "cat"):
        (homes / name / "notebooks" / "exercises").mkdir()
        (homes / name / "notebooks" / "exercises" / "01_kl.ipynb").write_text(name)
    (homes / "ann" / "notebooks" / "exercises").symlink_to(homes / "bob/notebooks/exercises")
    mine = homes / "cat" / "notebooks" / "exercises"
    (mine / "02_link.ipynb").symlink_to(homes / "bob/notebooks/exercises/01_kl.ipynb")
    os.mkfifo(mine / "03_fifo.ipynb")
    (mine / "04_folder.ipynb").mkdir()
    with (mine / "05_large.ipynb").open("wb") as file:
        file.truncate(20_000_001)
    left_out = collect(homes, target)
    assert files(target) == {"bob/01_kl.ipynb", "cat/01_kl.ipynb"}
    assert {path.name for path in target.iterdir()} == {"ann", "bob", "cat", "dan"}
    assert [line.removeprefix(f"{homes}/") for line in left_out] == [
        "ann: notebooks/exercises: Not a directory",
        "cat: '02_link.ipynb': a link, or unreadable: Too many levels of symbolic links",
        "cat: '03_fifo.ipynb': not a plain file",
        "cat: '04_folder.ipynb': not a plain file",
        "cat: '05_large.ipynb': larger than 20 MB",
        "dan: notebooks/exercises: No such file or directory",
    ]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="accounts need root")
def test_another_s_file_under_a_second_name_is_not_collected(tmp_path):
    exercises = tmp_path / "home" / "ann" / "notebooks" / "exercises"
    exercises.mkdir(parents=True)
    (tmp_path / "bob.ipynb").write_text("bob")
    os.chown(tmp_path / "bob.ipynb", 60_001, 60_001)
    os.link(tmp_path / "bob.ipynb", exercises / "01_kl.ipynb")
    [line] = collect(tmp_path / "home", tmp_path / "collected")
    assert line.endswith("'01_kl.ipynb': a file of another account")
    assert files(tmp_path / "collected") == set()


def test_the_values_follow_the_schema_of_the_chart():
    jsonschema = pytest.importorskip("jsonschema")
    values = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text())
    schema = json.loads((HERE / "z2jh_values_schema.json").read_text())
    check = jsonschema.Draft7Validator(schema)
    # The chart's own values.yaml fills in what is required and not said here.
    faults = [fault for fault in check.iter_errors(values) if fault.validator != "required"]
    assert [fault.message for fault in faults] == []
    values["singleuser"]["memroy"] = {}
    assert any("memroy" in fault.message for fault in check.iter_errors(values))


def test_the_image_hands_out_what_the_machine_hands_out():
    values = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text())
    command = values["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    assert command[1].removeprefix("/srv/course/") == "deploy/homes.py"
    assert (ROOT / command[1].removeprefix("/srv/course/")).exists()
    assert (ROOT / command[2].removeprefix("/srv/course/")).is_dir()
    readme = (ROOT / "deploy" / "README.md").read_text()
    assert "--target-repo-dir /srv/course" in readme


def test_the_proxy_s_version_stands_where_it_is_used():
    pinned = re.search(r"configurable-http-proxy@([\d.]+)", (ROOT / "Makefile").read_text())[1]
    for name in ("requirements-hub.txt", "deploy/README.md"):
        assert pinned in (ROOT / name).read_text(), name


def test_without_its_environment_the_hub_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hub, "ENVIRONMENT", tmp_path / "none")
    assert hub.main(["--output", str(tmp_path / "out")]) == 2
    assert "`make hub` makes it" in capsys.readouterr().err


CONFIGURATION = """
    import sys
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader
    from jupyterhub.app import JupyterHub
    config = PyFileConfigLoader(sys.argv[1]).load_config()
    hub = JupyterHub(config=config)
    traits = {cls.__name__: cls.class_traits(config=True) for cls in hub.classes + [JupyterHub]}
    traits["PAMAuthenticator"], traits["DummyAuthenticator"]
    for section, values in config.items():
        known = traits.get(section)
        for name in values if known else ():
            assert name in known, f"{section}.{name}"
    print(hub.authenticator_class.__name__, hub.spawner_class.__mro__[1].__name__)
"""


@ready
@pytest.mark.parametrize(
    ("trial", "said"),
    [
        ("1", "DummyAuthenticator SimpleLocalProcessSpawner"),
        ("0", "PAMAuthenticator LocalProcessSpawner"),
    ],
)
def test_the_configuration_names_nothing_that_jupyterhub_does_not_know(trial, said, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(ROOT / "deploy", course / "deploy")
    run = [hub.python(), "-c", textwrap.dedent(CONFIGURATION)]
    environment = {**os.environ, "HUB_TRIAL": trial, "HUB_PASSWORD": "x"}
    run.append(course / "deploy" / "jupyterhub_config.py")
    done = subprocess.run(run, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == said, done.stderr


@ready
@pytest.mark.parametrize("name", ["notebooks/solutions", "tests", ".git"])
def test_a_hub_that_lets_students_read_answers_does_not_start(name, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(ROOT / "deploy", course / "deploy")
    (course / name).mkdir(parents=True)
    load = "import sys; from traitlets.config.loader import PyFileConfigLoader as Loader;"
    load += "Loader(sys.argv[1]).load_config()"
    run = [hub.python(), "-c", load, course / "deploy" / "jupyterhub_config.py"]
    for trial, mode, refused in [("0", 0o755, True), ("1", 0o755, False), ("0", 0o700, False)]:
        (course / name).chmod(mode)
        environment = {**os.environ, "HUB_TRIAL": trial, "HUB_PASSWORD": "x"}
        done = subprocess.run(run, env=environment, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode != 0) == refused
        assert (f"students could read {course / name}" in done.stderr) == refused


@pytest.fixture
def repository(tmp_path):
    """A small course in git, with a solution and a test."""
    course = tmp_path / "whole"
    names = ("notebooks/01.ipynb", "notebooks/exercises/01.ipynb", "lecture_utils/kl.py")
    for name in (*names, "notebooks/solutions/01.ipynb", "tests/test_answers.py"):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(name)
    (course / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "for_students.sh", course / "deploy")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=course, check=True, capture_output=True)
    return course, {*names, "deploy/for_students.sh"}


def test_students_get_a_copy_without_solutions_tests_and_history(repository, tmp_path):
    course, expected = repository
    for _ in range(2):  # the second time over the first copy
        subprocess.run([course / "deploy" / "for_students.sh", tmp_path / "copy"], check=True)
        assert files(tmp_path / "copy") == expected
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o755


def test_students_get_no_copy_on_top_of_a_whole_course(repository, tmp_path):
    course, _ = repository
    shutil.copytree(course, tmp_path / "clone")
    run = [course / "deploy" / "for_students.sh", tmp_path / "clone"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"refused: {tmp_path}/clone/.git is there already: choose a new folder\n"


def test_image_and_server_are_made_from_the_students_copy():
    readme = (ROOT / "deploy" / "README.md").read_text()
    assert "deploy/for_students.sh /srv/course" in readme
    assert "deploy/for_students.sh build/for-students" in readme
    assert re.search(r"jupyter-repo2docker .* build/for-students\n", readme)


@ready
def test_five_students_at_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.hub", "--students", "5", "--output", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 of 5 students ran the lecture and solved its exercises" in done.stdout
    for number in range(5):
        home = tmp_path / "out" / "hub" / "homes" / f"student{number:02d}"
        assert (home / "notebooks" / "00_start_here.ipynb").exists()
        assert not (home / "notebooks" / "solutions").exists()


# Two accounts of a system of their own: /etc, /home and /root are private to a mount namespace, so
# that this machine gets no new users. Python moves to where an account can read it.
ACCOUNTS = r"""
set -eu
mount --make-rprivate /
work=$1 course=$2 hub=$3 base=$4
mkdir -p $work/etc $work/base $work/course $work/hub
cp -a /etc/. $work/etc/
chmod 755 $work $work/etc
mount --bind $work/etc /etc
mount --bind $base $work/base
mount --bind $course $work/course
mount --bind $hub $work/hub
mount -t tmpfs -o mode=755 none /home
mount -t tmpfs -o mode=755 none /root
mkdir -p $base
mount --bind $work/base $base
mount -t tmpfs -o mode=755 none /srv
mkdir -p /srv/course /srv/hub /srv/state
for name in deploy lecture_utils notebooks tests; do cp -r $work/course/$name /srv/course/; done
chmod 700 /srv/course/notebooks/solutions /srv/course/tests /srv/state
mount --bind $work/hub /srv/hub
for name in ann bob; do
    useradd --create-home --shell /bin/bash $name
    echo "$name:secret-$name" | chpasswd
done
exec "$5" "$6"
"""


@ready
@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="accounts need root")
def test_a_student_s_process_cannot_read_another_s_files(tmp_path):
    """Log in as two accounts through PAM, and look from the kernel of one at the other."""
    tmp_path.chmod(0o755)
    (tmp_path / "accounts.sh").write_text(ACCOUNTS)
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "sh"]
    command += [tmp_path / "accounts.sh", tmp_path / "work", ROOT, hub.ENVIRONMENT]
    command += [sys.base_prefix, sys.executable, HERE / "hub_accounts.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd="/")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["wrong password"] == "refused"
    assert said["ann is"] == "ann"
    assert said["own notebook"] == "read"
    closed = ("bob's notebook", "bob's home", "solutions", "tests", "state of the hub")
    for what in (*closed, "bob's kernel"):
        assert said[what] == "PermissionError", what
    assert said["three gigabytes"] == "MemoryError"
