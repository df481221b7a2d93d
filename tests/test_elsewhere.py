"""The tools on other people's computers: what their accounts, folders and files have or lack."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from jupyter_client.kernelspec import KernelSpecManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import build_site, course, lab, make_exercises, progress, run_course, several
from tools.kernels import Run, failed_line, kernel, kernel_environment

NAME = "01_kl_divergence"
OTHER = "02_kl_is_never_negative"
WHO = """import sys
from pathlib import Path
import lecture_utils
import matplotlib.pyplot as plt
plt.plot([0, 1])
plt.close()
print(Path(lecture_utils.__file__).parents[1].name, sys.executable)
assert Path(lecture_utils.__file__).parents[1] == Path(FOLDER), lecture_utils.__file__
assert sys.executable == PYTHON, sys.executable
assert "started" not in globals(), "the user's own files were run first"
"""


def write(path, *sources):
    """Write a notebook with a title and a code cell for each source."""
    cells = [new_markdown_cell(f"# {path.stem}"), *map(new_code_cell, sources)]
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"course": {"question": "Why?", "minutes": 1}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)


@pytest.fixture
def whole(tmp_path):
    """A copy of the course, its data apart, in a folder with an unusual name; no notebooks."""
    folder = tmp_path / "Kürs für alle, 2027"
    ignored = shutil.ignore_patterns("__pycache__", "data")
    for name in ("tools", "lecture_utils"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    names = f"FOLDER, PYTHON = {str(folder)!r}, {sys.executable!r}\n"
    write(folder / "notebooks" / f"{NAME}.ipynb", names + WHO)
    check = "from lecture_utils.exercises import check\n" + names + WHO
    stub = 'def extra_bits(counts, lengths):\n    return -1.0\n\n\ncheck("extra_bits", extra_bits)'
    write(folder / "notebooks" / "exercises" / f"{NAME}.ipynb", check, stub)
    return folder


def call(folder, tool, *arguments, environment=None):
    return subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", *arguments],
        cwd=folder,
        env=(environment or dict(os.environ)) | {"TQDM_DISABLE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


# ---- accounts ----


def a_foreign_account(home):
    """The environment of a user with another Python as "python3", and another lecture_utils."""
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    kernels = home / "data" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(json.dumps(spec))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for packages in (home / "packages", home / "venv" / "lib" / version / "site-packages"):
        (packages / "lecture_utils").mkdir(parents=True)
        (packages / "lecture_utils" / "__init__.py").touch()
    startup = home / "ipython" / "profile_default" / "startup" / "first.py"
    startup.parent.mkdir(parents=True)
    for path in (startup, home / "startup.py"):
        path.write_text("started = True")
    return os.environ | {
        "HOME": str(home),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_PATH": str(home / "data"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "another",
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONSTARTUP": str(home / "startup.py"),
        "PYTHONPATH": os.pathsep.join([str(home / "packages"), os.environ.get("PYTHONPATH", "")]),
        "VIRTUAL_ENV": str(home / "venv"),
    }


def an_account_without_a_home(home):
    """The environment of a user who cannot write at home, whoever runs this test."""
    home.write_text("no folder")
    names = ("XDG_", "JUPYTER", "IPYTHON", "MPL")
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(names)}
    return inherited | {"HOME": str(home / "nobody")}


@pytest.mark.parametrize("account", [a_foreign_account, an_account_without_a_home])
def test_every_kernel_is_this_python_with_this_folders_library(account, whole, tmp_path):
    environment = account(tmp_path / "home")
    done = call(whole, "run_course", "--in-place", environment=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    notebook = nbformat.read(whole / "notebooks" / f"{NAME}.ipynb", 4)
    printed = [output.text for output in notebook.cells[1].outputs]
    assert printed == [f"{whole.name} {sys.executable}\n"]  # and no warning

    done = call(whole, "progress", environment=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "extra_bits     wrong: your answer is -1." in done.stdout


def test_reproduce_runs_this_folders_library(whole, tmp_path):
    environment = a_foreign_account(tmp_path / "home")
    conditions = ("--conditions", "threads-1", "--output", str(tmp_path / "results"))
    options = ("--", "--nbval-lax", "--nbval-current-env")
    done = call(whole, "reproduce", *conditions, *options, environment=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert not (whole / "build").exists()


def test_the_lab_offers_this_python_as_python3(monkeypatch, tmp_path):
    for name, value in a_foreign_account(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("JUPYTER_DEFAULT_PROVISIONER_NAME")
    assert KernelSpecManager().get_kernel_spec("python3").argv[0] == "/bin/false"
    lab.use_own_kernel(tmp_path)
    assert KernelSpecManager().get_kernel_spec("python3").argv[0] == sys.executable
    assert os.environ["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)
    assert "VIRTUAL_ENV" not in os.environ


def test_the_lab_writes_elsewhere_only_what_it_cannot_write_at_home(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    for name in (*names, "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / "file" / name))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "theirs"))
    lab.use_own_home(tmp_path / "ours")
    places = {name: Path(os.environ[name]) for name in names}
    assert places.pop("JUPYTER_DATA_DIR") == tmp_path / "theirs"
    assert {place.parent for place in places.values()} == {tmp_path / "ours"}


def test_a_folder_that_python_cannot_look_into_is_refused(monkeypatch):
    monkeypatch.setattr("tools.kernels.ROOT", Path(f"/a{os.pathsep}b"))
    with pytest.raises(course.Refused, match="rename /a"):
        kernel_environment()


# ---- where an error is ----

FAILING = {
    "import unicodedata\nunicodedata.lookup(\n    'no such sign'\n)": 2,
    "def f():\n    x = 1\n    raise ValueError\n\nf()": 3,
    "def g():\n    f()\n\n\n\ng()": 2,
    "a = 1\nb = = 2": 2,
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError from error": 4,
    "import json\n\njson.loads('{')": 3,
    "a = 1\n\nimport no_such_module": 3,
    "a = '''\n\n'''\nassert not a, 'Cell In[1], line 1'": 4,
}


def test_an_error_names_the_line_that_failed(tmp_path):
    notebook = new_notebook(cells=[new_code_cell(source) for source in FAILING])
    with kernel(notebook, tmp_path, allow_errors=True) as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    found = [failed_line(cell) for cell in notebook.cells]
    assert found == [
        f", line {line}: {source.splitlines()[line - 1].strip()}"
        for source, line in FAILING.items()
    ]


# ---- folders ----


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course in this process whose notebooks are not really run."""
    for name in (NAME, OTHER):
        write(tmp_path / "course" / "notebooks" / f"{name}.ipynb", "seed = 0")
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path / "course" / "notebooks")
    monkeypatch.setattr(course, "BUILD", tmp_path / "course" / "build")
    monkeypatch.setattr(build_site, "NOTEBOOKS", course.NOTEBOOKS)
    ran = []

    def execute_all(runs):
        ran.append([run.name for run in runs])
        for run in runs:
            shutil.copy(run.source, run.target)
            run.error = "stop before the pages"

    monkeypatch.setattr(run_course, "execute_all", execute_all)
    return tmp_path, ran


def refusal(capsys, main, *arguments):
    assert main(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("refused: ")
    assert err.count("\n") == 1
    return err


def test_an_output_folder_can_be_chosen_again_and_again(small):
    folder, _ = small
    for _ in range(2):
        run_course.main(["--output", str(folder / "mine" / "out")])
        assert (folder / "mine" / "out" / "notebooks" / f"{NAME}.ipynb").exists()
        (folder / "mine" / "out" / "left over").touch()
    assert not (folder / "course" / "build").exists()
    run_course.main(["--output", str(folder / "mine" / "out")])
    assert not (folder / "mine" / "out" / "left over").exists()


def test_a_folder_that_holds_something_else_is_not_emptied(small, capsys, monkeypatch):
    folder, ran = small
    link = folder / "course" / "build"
    link.symlink_to(folder / "course" / "notebooks", target_is_directory=True)
    for arguments in (["--output", str(folder)], ["--output", str(link)], []):
        assert "something else" in refusal(capsys, run_course.main, arguments)
    monkeypatch.setattr(sys, "argv", ["build_site", "--output", str(folder)])
    assert "something else" in refusal(capsys, build_site.main)
    assert ran == []
    assert len(list((folder / "course" / "notebooks").iterdir())) == 2


def test_build_may_be_a_link(small):
    folder, _ = small
    link = folder / "course" / "build"
    link.symlink_to(folder / "large disk", target_is_directory=True)
    for names in (f"{NAME} {OTHER}", OTHER):  # the first time the link leads nowhere yet
        run_course.main(["--notebooks", names])
        results = (folder / "large disk" / "notebooks").iterdir()
        assert sorted(path.stem for path in results) == names.split()
    assert link.is_symlink()


def a_file(path):
    path.touch()


def a_link_to_itself(path):
    path.symlink_to(path)


@pytest.mark.parametrize("obstacle", [a_file, a_link_to_itself])
def test_what_cannot_be_an_output_folder_is_refused(obstacle, small, capsys, monkeypatch):
    _, ran = small
    obstacle(course.BUILD)
    assert "BUILD=FOLDER" in refusal(capsys, run_course.main, [])
    below = str(course.BUILD / "below")
    assert "--output FOLDER" in refusal(capsys, run_course.main, ["--output", below])
    monkeypatch.setattr(sys, "argv", ["build_site", "--output", below])
    assert "--output FOLDER" in refusal(capsys, build_site.main)
    assert ran == []


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write everywhere")
def test_a_course_that_cannot_be_written_is_refused(small, capsys, monkeypatch):
    folder, ran = small
    places = (folder / "course", folder / "course" / "notebooks")
    for place in places:
        place.chmod(0o555)
    try:
        assert "BUILD=FOLDER" in refusal(capsys, run_course.main, [])
        assert "BUILD=FOLDER" in refusal(capsys, run_course.main, ["--in-place"])
        run_course.main(["--output", str(folder / "out")])
    finally:
        for place in places:
            place.chmod(0o755)
    assert len(ran) == 1


def test_without_notebooks_every_command_says_what_to_do(small, capsys, monkeypatch):
    folder, _ = small
    shutil.rmtree(folder / "course" / "notebooks")
    assert "git checkout" in refusal(capsys, run_course.main, [])
    for command in (progress, build_site):
        monkeypatch.setattr(sys, "argv", ["a command"])
        assert command.main() not in (0, None)
    assert make_exercises.main(folder / "course" / "notebooks") == 1


# ---- files ----

COPIES = ("-Copy1", " (2)", " - Copy", "_old", ".orig", "2")


@pytest.mark.parametrize("suffix", COPIES)
def test_a_copy_beside_a_lecture_is_not_run(suffix, small):
    folder, ran = small
    notebooks = folder / "course" / "notebooks"
    shutil.copy(notebooks / f"{NAME}.ipynb", notebooks / f"{NAME}{suffix}.ipynb")
    run_course.main([])
    run_course.main(["--notebooks", "1"])
    assert ran == [[NAME, OTHER], [NAME]]


def test_a_lecture_that_only_looks_like_a_copy_is_run(small):
    folder, ran = small
    write(folder / "course" / "notebooks" / "01_another_beginning.ipynb", "seed = 0")
    run_course.main(["--notebooks", "1"])
    assert ran == [["01_another_beginning", NAME]]


def test_a_notebook_may_begin_with_a_byte_order_mark(small):
    path = course.NOTEBOOKS / f"{NAME}.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert course.read(path).cells[1].source == "seed = 0"


def merge_markers(text):
    return text.replace('"seed', '"a"\n<<<<<<< HEAD\n"seed').encode()


def without_sources(text):
    return text.replace('"source"', '"sauce"').encode()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (merge_markers, "a merge marker of git: choose a side with `git checkout --ours"),
        (without_sources, "intact copy"),
        (lambda text: text[:-9].encode(), "intact copy"),
        (lambda text: text.encode("utf-16"), "cannot be read as a notebook"),
    ],
)
def test_a_damaged_notebook_is_refused_in_one_line(damage, said, small, capsys):
    _, ran = small
    path = course.NOTEBOOKS / f"{NAME}.ipynb"
    path.write_bytes(damage(path.read_text(encoding="utf-8")))
    err = refusal(capsys, run_course.main, [])
    assert said in err
    assert path.name in err
    assert ran == []


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_checkout_on_windows_starts_on_linux(tmp_path):
    names = ("start", "postBuild", "Makefile", ".ci/run", "deploy/start.sh", "data.csv")
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"#!/bin/bash\necho\n")
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True, capture_output=True)
    for name in names:
        (tmp_path / name).unlink()
    subprocess.run([*git, "checkout", "-q", "."], cwd=tmp_path, check=True, capture_output=True)
    assert [name for name in names if b"\r" in (tmp_path / name).read_bytes()] == []


# ---- several at once ----


def test_the_longest_lectures_start_first_and_the_table_keeps_its_order(monkeypatch):
    runs = [Run(path, path, new_notebook()) for path in course.with_solutions(course.lectures())]
    before = [run.name for run in runs]
    started = []
    monkeypatch.setattr(several, "execute", lambda run: started.append(run.name))
    monkeypatch.setattr(several, "N_AT_ONCE", 1)
    several.execute_all(runs)
    lectures = [name for name in started if "/" not in name]
    assert started[: len(lectures)] == lectures, "solutions take seconds: they come last"
    assert sorted(started) == sorted(before)
    assert [run.name for run in runs] == before

    seconds = several.measured_seconds()
    assert seconds.keys() == {name[:2] for name in lectures}, "TEACHING.md gives no seconds"
    expected = [seconds[name[:2]] for name in lectures]
    assert expected == sorted(expected, reverse=True)


def test_a_lecture_that_was_not_measured_yet_starts_first(monkeypatch):
    monkeypatch.setattr(several, "measured_seconds", lambda: {"01": 90, "02": 5})
    paths = [course.NOTEBOOKS / f"{name}.ipynb" for name in (NAME, OTHER, "03_new", "04_new")]
    order = several.longest_first([Run(path, path, new_notebook()) for path in paths])
    assert [run.source.stem for run in order] == ["04_new", "03_new", NAME, OTHER]


# ---- the house ----

COMMANDS = [path for path in (ROOT / "tools").glob("*.py") if "__main__" in path.read_text()]


def test_no_tool_imports_a_command():
    names = "|".join(path.stem for path in COMMANDS)
    imports = re.compile(rf"(?m)^ *from tools(\.({names}) import| import .*\b({names})\b)")
    found = {
        path.stem: imports.findall(path.read_text(encoding="utf-8"))
        for path in (ROOT / "tools").glob("*.py")
    }
    assert len(COMMANDS) > 5
    # `make run` ends with the pages of what was run.
    assert [name for name, lines in found.items() if lines] == ["run_course"]
