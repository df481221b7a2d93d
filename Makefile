# Every command of the course. `make help` lists them. PYTHON is used once, to make the environment .venv.
PYTHON ?= python3
PIP_ARGS ?=
COURSE_THREADS ?= 1
export COURSE_THREADS
export OMP_NUM_THREADS = $(COURSE_THREADS)
# This folder's library, wherever .venv was made and whatever PYTHONPATH says.
export PYTHONPATH = $(CURDIR)
BIN := .venv/bin
QUICK := tests/test_divergences.py tests/test_autoencoders.py tests/test_evaluation.py tests/test_training.py tests/test_claims.py tests/test_tables.py tests/test_notebooks.py
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with tests/nbval_sanitize.cfg

.DEFAULT_GOAL := help
.PHONY: help run lab site slides slides-pdf notebooks exercises progress test quick reseed reproduce mutate lite book colab wheel bench clean grade nbgrader sweep hub

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/run: requirements.txt pyproject.toml
	@test -w . || { echo "refused: $(CURDIR) cannot be written, so .venv cannot be made in it: copy the course to a folder of yours"; exit 1; }
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else 'Python 3.11 to 3.13 is needed, this is ' + sys.version.split()[0] + ': make ... PYTHON=python3.11')"
	@echo "installing packages into .venv: a few minutes, the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.txt -e .
	touch $@

.venv/test: .venv/run requirements-dev.txt requirements-cluster.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-dev.txt
	touch $@

run: .venv/run  ## run the lectures into build/   NOTEBOOKS="01 05" PARAMETERS="seed=3 n_samples=2000" BUILD=elsewhere
	$(BIN)/python -m tools.run_course --notebooks "$(NOTEBOOKS)" --parameters "$(PARAMETERS)" --output "$(BUILD)"

lab: .venv/run  ## open the course in JupyterLab   LAB_ARGS="--no-browser"
	$(BIN)/python -m tools.lab $(LAB_ARGS)

site: .venv/run  ## build pages, slides and build/index.html from the stored outputs
	$(BIN)/python -m tools.build_site --output "$(BUILD)"

slides: site  ## the same as `make site`

slides-pdf: .venv/test  ## print the slides and their notes to PDF (needs Chromium)
	$(BIN)/python -m tools.print_slides --output "$(BUILD)"

notebooks: .venv/run  ## execute the notebooks in place and store their outputs
	$(BIN)/python -m tools.run_course --in-place --notebooks "$(NOTEBOOKS)"

exercises: .venv/run  ## make the student copies from notebooks/solutions
	$(BIN)/python -m tools.make_exercises

progress: .venv/run  ## say which exercises are right   NOTEBOOKS="01 02" FOLDER=my-notebooks-1
	$(BIN)/python -m tools.progress --notebooks "$(NOTEBOOKS)" --folder "$(FOLDER)"

test: .venv/test .lite/ready  ## check everything: style, library, notebooks and their stored outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2 --dist loadfile $(NBVAL)

quick: .venv/test  ## check within a minute what a change to the library breaks: style, library, notebooks unrun
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2 --dist loadfile $(QUICK)

reseed: .venv/run  ## run the lectures with the seeds 0 to 9: does every claim hold?
	$(BIN)/python -m tools.sweep --grid "seed=0:10" --notebooks "$(NOTEBOOKS)" --scheduler "$(SCHEDULER)" --output "$(BUILD)"

reproduce: .venv/test  ## compare the outputs under other threads, processors, versions   CONDITIONS="threads-2 oldest"
	$(BIN)/python -m tools.reproduce --notebooks "$(NOTEBOOKS)" --conditions "$(CONDITIONS)" --output "$(BUILD)" -- $(NBVAL)

mutate: .venv/run  ## change single things in lectures: does anything notice?   NOTEBOOKS="01 02" CHANGES=100
	$(BIN)/python -m tools.mutate --notebooks "$(NOTEBOOKS)" --changes "$(or $(CHANGES),100)"

# $(call sees-packages,venv): the environment sees the packages of .venv as well, and .venv nothing of it.
purelib = $$($(1)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
sees-packages = $(BIN)/python -m venv $(1) && echo "$(call purelib,.venv)" > "$(call purelib,$(1))/course.pth"

# JupyterLab must not see the kernel of JupyterLite.
.lite/ready: .venv/run requirements-lite.txt
	$(call sees-packages,.lite)
	.lite/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-lite.txt
	touch $@

lite: .lite/ready  ## build the site with the course that runs in a browser   PYODIDE=folder
	$(BIN)/python -m tools.lite --output "$(BUILD)" --pyodide "$(PYODIDE)"
	$(BIN)/python -m tools.build_site --output "$(BUILD)"

book: .venv/test site  ## print all lectures as one PDF, build/book.pdf (needs Chromium)
	$(BIN)/python -m tools.book --output "$(BUILD)"

colab: .venv/run  ## write the notebooks for Colab into build/colab
	$(BIN)/python -m tools.colab --output "$(BUILD)"

wheel: .venv/test  ## build the package lecture-utils into build/dist
	$(BIN)/python -m build --no-isolation --outdir build/dist

bench: .venv/run  ## measure time, memory and accuracy   PARTS="fit kl"
	$(BIN)/python -m benchmarks $(PARTS)

clean:  ## remove build/ and the environment
	rm -rf build .venv .hub .lite

# A class: grades, sweeps, a JupyterHub.

grade: .venv/run  ## give points to submissions   SUBMISSIONS=folder NOTEBOOKS="01 02" BUILD=elsewhere ISOLATION=limits
	$(BIN)/python -m tools.grade "$(SUBMISSIONS)" --notebooks "$(NOTEBOOKS)" --isolation "$(ISOLATION)" --output "$(BUILD)"

nbgrader: .venv/run  ## write the exercises as an nbgrader course into build/nbgrader
	$(BIN)/python -m tools.to_nbgrader --notebooks "$(NOTEBOOKS)" --output "$(BUILD)"

sweep: .venv/run  ## run lectures over a grid into build/sweep.csv   NOTEBOOKS="09" GRID="seed=0:10 epochs=10,20" SCHEDULER=tcp://host:8786
	$(BIN)/python -m tools.sweep --notebooks "$(NOTEBOOKS)" --grid "$(GRID)" --scheduler "$(SCHEDULER)" --output "$(BUILD)"

# JupyterHub and npm's proxy in an environment of their own, which sees the packages of .venv.
.hub/ready: .venv/run requirements-hub.txt
	@command -v npm > /dev/null || { echo "refused: the proxy of JupyterHub needs npm: install Node.js"; exit 1; }
	$(call sees-packages,.hub/venv)
	.hub/venv/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements-hub.txt
	npm install --silent --no-audit --no-fund --prefix .hub configurable-http-proxy@5.3.0
	touch $@

hub: .hub/ready  ## start a JupyterHub for a trial on this machine   STUDENTS=5 simulates a class
	$(BIN)/python -m tools.hub --students "$(or $(STUDENTS),0)" --output "$(BUILD)"
