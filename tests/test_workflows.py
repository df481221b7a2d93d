"""What GitHub is told: workflows, forms, Codespaces, Colab, and the hook before a commit."""

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import IPython
import nbformat
import pytest
import yaml
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import check_outputs, colab

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-forms": sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")),
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}


def steps():
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from job["steps"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *SCHEMAS[schema]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_are_safe():
    zizmor = Path(sysconfig.get_path("scripts")) / "zizmor"
    done = subprocess.run([zizmor, "--offline", "--quiet", GITHUB], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_version_and_system_is_tested():
    test = yaml.safe_load((GITHUB / "workflows" / "test.yml").read_text(encoding="utf-8"))
    matrix = test["jobs"]["test"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lowest, beyond = re.search(r">=3\.(\d+),<3\.(\d+)", project).groups()
    assert matrix["python"] == [f"3.{n}" for n in range(int(lowest), int(beyond))]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "windows", "macos"]


def test_workflows_call_what_the_readme_names():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [
        line.strip()
        for step in steps()
        if step.get("name", "").startswith(("Test with", "Build pages"))
        for line in step["run"].splitlines()
    ]
    assert {"make test", "make lite"} <= set(commands)
    windows = next(step["run"] for step in steps() if step.get("shell") == "pwsh")
    for line in re.sub(r"\$\{\{.*?\}\}", "3.11", windows).splitlines():
        assert line in readme


def test_the_container_makes_the_environment_that_it_names():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    make, target = container["onCreateCommand"].split()
    assert make == "make"
    assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    vscode = container["customizations"]["vscode"]["settings"]
    assert vscode["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
    for name in container["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / name).exists()


# ---- Colab ----

RUN_FIRST_CELL = """
import sys
sys.path.append({packages!r})
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def pip(line):
    print("pip", line)
    sys.path.append({root!r})
shell.register_magic_function(pip, "line", "pip")
for source in ({cell!r}, "import lecture_utils.divergences"):
    shell.run_cell(source).raise_error()
"""


@pytest.mark.parametrize("installed", [False, True])
def test_colabs_first_cell_installs_only_what_is_missing(tmp_path, installed):
    cell = colab.for_colab(new_notebook(), "someone/kl").cells[0].source
    packages = str(Path(IPython.__file__).parents[1])
    code = RUN_FIRST_CELL.format(packages=packages, root=str(ROOT), cell=cell)
    if installed:
        code = f"import sys; sys.path.append({str(ROOT)!r})\n{code}"
    command = [sys.executable, "-I", "-S", "-c", code]  # -S: what is installed for editing is not
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    install = 'install --quiet --no-deps "lecture-utils @ git+https://github.com/someone/kl"'
    assert done.stdout == ("" if installed else f"pip {install}\n")


# ---- the hook before a commit ----


def test_the_hooks_exist():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert ".venv/bin/python -m tools.check_outputs" in entries
    assert sum("ruff" in entry for entry in entries) == 2


OUTPUTS = {
    "run once": ([1, 2], [], ""),
    "not run": ([None, 1], [], "not all run once, in order"),
    "out of order": ([2, 1], [], "not all run once, in order"),
    "error": ([1], [new_output("error", ename="E", evalue="", traceback=[])], "an error"),
    "warning": ([1], [new_output("stream", name="stderr", text="w")], "a warning"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_stored_outputs_are_looked_at(tmp_path, case):
    counts, outputs, complaint = OUTPUTS[case]
    cells = [new_code_cell("1", execution_count=n, outputs=outputs) for n in counts]
    path = tmp_path / "01_x.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    lines = check_outputs.complaints(path)
    assert len(lines) == bool(complaint)
    assert all(complaint in line for line in lines)
