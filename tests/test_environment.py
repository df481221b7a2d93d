"""The pins, the environment files and what a fresh machine is told."""

import importlib.metadata
import re
import subprocess
import sys

import pytest
from conftest import ROOT


def pins(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)$", text))


RUN, DEV = pins("requirements.txt"), pins("requirements-dev.txt")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_line_is_an_exact_version(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert len(wanted) == len(pins(name))


@pytest.mark.parametrize(("package", "version"), (RUN | DEV).items())
def test_what_is_installed_is_what_is_pinned(package, version):
    assert importlib.metadata.version(package).split("+")[0] == version


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


def test_every_command_is_listed_by_help():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"(?m)^\.PHONY: (.+)$", makefile)[1].split()
    assert re.findall(r"(?m)^([a-z-]+):.*## \S", makefile) == phony


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
