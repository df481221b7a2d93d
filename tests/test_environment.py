"""The pins, the environment files and what a fresh machine is told."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from nbformat import read
from nbformat.sign import NotebookNotary

from tools import binder, course


def pins(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)$", text))


RUN, DEV = pins("requirements.txt"), pins("requirements-dev.txt")


FILES = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-lite.txt",
    "requirements-cluster.txt",
    "requirements-hub.txt",
]


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_an_exact_version(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert len(wanted) == len(pins(name))


@pytest.mark.parametrize(("package", "version"), (RUN | DEV).items())
def test_what_is_installed_is_what_is_pinned(package, version):
    assert importlib.metadata.version(package).split("+")[0] == version


def test_jupyterlite_is_what_is_pinned_and_not_where_jupyterlab_sees_it():
    [packages] = (ROOT / ".lite").glob("lib/python*/site-packages")
    # From Python 3.12 on setuptools comes from .venv, whose packages .lite sees, too.
    found = importlib.metadata.distributions(path=[*sys.path, str(packages)])
    versions = {each.name.replace("_", "-"): each.version for each in found}
    pinned = pins("requirements-lite.txt")
    assert {name: versions.get(name) for name in pinned} == pinned
    assert not (
        Path(sys.prefix) / "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"
    ).exists()


def test_conda_takes_the_same_torch():
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert re.search(r"pytorch-cpu=(\S+)", conda)[1] == RUN["torch"]


def test_every_line_of_the_conda_file_has_a_reason():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line.lstrip().startswith("- ") and "pip:" not in line]
    assert packages
    assert [line for line in packages if "  # " not in line] == []


def test_the_package_admits_what_is_pinned():
    from packaging.requirements import Requirement

    for text in importlib.metadata.requires("lecture-utils"):
        requirement = Requirement(text)
        assert requirement.specifier.contains(RUN[requirement.name]), text


def test_lecture_utils_is_found_from_another_folder(tmp_path):
    code = "import lecture_utils.divergences, lecture_utils.exercises"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0


def test_conda_installs_the_course_as_make_does():
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^      - (\S+ \S+)", conda) == ["-r requirements.txt", "-e ."]


def test_an_installed_copy_holds_the_library_and_its_files(tmp_path):
    source, target, elsewhere = (tmp_path / name for name in ("source", "target", "elsewhere"))
    elsewhere.mkdir()
    shutil.copytree(ROOT / "lecture_utils", source / "lecture_utils")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    install += ["--no-build-isolation", "--target", target, source]  # nothing from the network
    subprocess.run(install, check=True)
    code = "import lecture_utils.exercises; from lecture_utils.datasets import FOLDER, load_mnist"
    code += "; load_mnist(); print(FOLDER)"
    environment = os.environ | {"PYTHONPATH": str(target)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == target / "lecture_utils" / "data", done.stderr
    assert files_of(target / "lecture_utils") == files_of(ROOT / "lecture_utils")


def files_of(folder):
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path for path in files if "__pycache__" not in path.parts}


# ---- Binder: rendered here, not built ----


@pytest.fixture(scope="module")
def rendered():
    """What Binder's builder makes of the repository: its messages, and the Dockerfile."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def test_binder_recognises_the_conda_environment(rendered):
    assert "Building conda environment for python=3.11" in rendered.stderr
    assert '--file "environment.yml"' in rendered.stdout


def test_binder_runs_post_build_and_starts_through_start(rendered):
    lines = rendered.stdout.splitlines()
    environment = next(i for i, line in enumerate(lines) if "environment.yml" in line)
    assert lines.index("RUN ./postBuild") > environment
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/start"' in lines


@pytest.mark.skipif(os.name == "nt", reason="Binder's scripts run on Linux")
def test_post_build_trusts_the_notebooks_and_asks_nothing(tmp_path):
    course, home = tmp_path / "course", tmp_path / "home"
    for name in ("notebooks", "tools", "lecture_utils"):
        shutil.copytree(ROOT / name, course / name)
    shutil.copy(ROOT / "postBuild", course)
    subprocess.run(["./postBuild"], cwd=course, env=a_home(home), check=True, capture_output=True)
    notary = NotebookNotary(data_dir=str(home / "data"))
    try:
        for path in (course / "notebooks").rglob("*.ipynb"):
            assert notary.check_signature(read(path, as_version=4)), path.name
    finally:
        notary.store.close()
    assert (home / ".jupyter" / "labconfig" / "default_setting_overrides.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="Binder's scripts run on Linux")
def test_start_gives_one_thread_and_runs_the_command(tmp_path):
    code = "import os, sys; threads = os.environ['COURSE_THREADS'], os.environ['OMP_NUM_THREADS']"
    code += "; print(*threads, sys.argv)"
    command = [ROOT / "start", sys.executable, "-c", code, "two words"]
    done = subprocess.run(command, env=a_home(tmp_path), capture_output=True, text=True, check=True)
    assert done.stdout == "1 1 ['-c', 'two words']\n"


def a_home(folder):
    """The environment of a user who has nothing yet, with this Python first in the path."""
    folder.mkdir(exist_ok=True)
    others = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return others | {
        "HOME": str(folder),
        "PATH": path,
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }


# ---- the repository's name, and what is made from it ----


def test_the_readme_has_the_links_that_the_repository_allows():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    written = readme.split(binder.BEGIN)[1].split(binder.END)[0]
    assert written == binder.links(), "write them anew: python -m tools.binder"


def test_a_named_repository_opens_every_lecture(monkeypatch):
    monkeypatch.setattr(course, "repository", lambda: "someone/kl")
    links = binder.links()
    lectures = list((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert links.count("](https://mybinder.org/v2/gh/someone/kl/HEAD") == 1 + len(lectures)
    assert "https://someone.github.io/kl/lite/lab/index.html?path=notebooks/00_start" in links
    assert "https://codespaces.new/someone/kl" in links


CITATION = 'repository-code: "https://github.com/{}"\n'


@pytest.mark.parametrize(
    ("name", "found"), [("someone/kl", "someone/kl"), ("OWNER/REPOSITORY", None)]
)
def test_the_repository_is_named_in_one_place(tmp_path, monkeypatch, name, found):
    (tmp_path / "CITATION.cff").write_text(CITATION.format(name), encoding="utf-8")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    assert course.repository() == found


def test_a_citation_without_a_repository_is_refused(tmp_path, monkeypatch):
    (tmp_path / "CITATION.cff").write_text("title: a course\n", encoding="utf-8")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    with pytest.raises(course.Refused, match=r"CITATION\.cff needs a line"):
        course.repository()


def test_no_file_names_a_repository_that_is_not_set():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    places = [ROOT / name for name in listed.splitlines() if name.endswith((".md", ".yml", ".j2"))]
    texts = {path.name: path.read_text(encoding="utf-8") for path in places if path.exists()}
    assert [name for name, text in texts.items() if "OWNER/REPOSITORY" in text] == []


# ---- the commands ----


def test_a_benchmark_that_does_not_exist_is_refused_in_one_line():
    command = [sys.executable, "-m", "benchmarks", "kl", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith('refused: there is no part "speed"')
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_every_command_is_listed_by_help():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"(?m)^\.PHONY: (.+)$", makefile)[1].split()
    assert re.findall(r"(?m)^([a-z-]+):.*## \S", makefile) == phony


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
