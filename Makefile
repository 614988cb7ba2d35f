# Everything that is run here, by people and by CI. `make` lists it.

PYTHON ?= python3
UV_VERSION := 0.13.8
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
AIRFLOW_VENV := .venv-airflow
AIRFLOW_BIN := $(CURDIR)/$(AIRFLOW_VENV)/bin
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
SAMPLE := data/sample
CACHES := checkpoints clips costs digests.json exit features near ran store timings weights \
	workspaces/cache workspaces/shared workspaces/site-cache

.DEFAULT_GOAL := help
.PHONY: help setup system demo test check integration soak bench accuracy weights clean
.PHONY: airflow airflow-env airflow-lock airflow-pictures airflow-test

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.ready  ## Install everything into .venv from the lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Tailwatch runs on Python 3.11; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/pip install --quiet uv==$(UV_VERSION)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(MAKE) --no-print-directory system
	@touch $@

system:
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
		echo "OpenCV needs Debian's libgl1 and libglib2.0-0"; \
		apt-get update -qq && apt-get install -qq -y libgl1 libglib2.0-0 >/dev/null \
		|| { echo "Ask an administrator: apt-get install libgl1 libglib2.0-0"; exit 2; }; }

$(SAMPLE)/clips.csv: | setup
	tailwatch sample $(SAMPLE)

demo: setup $(SAMPLE)/clips.csv  ## The main job: sample, dvc repro, track, promote, report
	dvc repro
	tailwatch track
	tailwatch promote
	tailwatch report
	@echo
	@echo "The report, in a browser:       $(CURDIR)/reports/index.html"
	@echo "Runs, comparison and registry:  $(VENV)/bin/mlflow ui --backend-store-uri sqlite:///mlflow.db"
	@echo "Curves by DVC:                  $(VENV)/bin/dvc plots show"
	@echo "A verdict on a video:           $(VENV)/bin/tailwatch score VIDEO"

test: setup  ## All tests that need no server
	$(BIN)/python -m pytest -n 2 --dist loadfile tests --ignore tests/integration --ignore tests/faults --ignore tests/soak \
		--ignore tests/airflow

check: setup  ## Style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

integration: setup airflow-test  ## Tests with real servers, a browser, kills and faults
	$(BIN)/python -m pytest -n 2 --dist load tests/integration tests/faults

airflow: setup airflow-env $(SAMPLE)/clips.csv  ## Scheduled retraining on this machine: Airflow with all DAGs; ctrl-C ends it
	$(AIRFLOW_BIN)/python infra/airflow/workstation.py

airflow-env: $(AIRFLOW_VENV)/.ready  ## Install Airflow into .venv-airflow from its lock

$(AIRFLOW_VENV)/.ready: requirements-airflow.lock | setup
	test -x $(AIRFLOW_BIN)/python || $(PYTHON) -m venv $(AIRFLOW_VENV)
	VIRTUAL_ENV=$(CURDIR)/$(AIRFLOW_VENV) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements-airflow.lock
	@touch $@

airflow-lock: setup  ## Write requirements-airflow.lock anew from requirements-airflow.in
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header requirements-airflow.in -o requirements-airflow.lock

airflow-pictures: airflow-env  ## Pictures for docs/ of the Airflow that runs (PORT=8080), by chromium
	$(AIRFLOW_BIN)/python infra/airflow/pictures.py

airflow-test: setup airflow-env  ## Tests of the DAGs in the airflow environment
	$(AIRFLOW_BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --confcutdir tests/airflow tests/airflow

bench: setup  ## Speed and memory, beside the recipe of paper 000: docs/performance.md (needs ../shared/data)
	$(BIN)/python -m tests.benchmarks.bench

soak: setup  ## Long tests: two hundred killed runs, ten thousand damaged videos (SOAK_SEED=N: others)
	TAILWATCH_SEEDS=200 $(BIN)/python -m pytest -n 2 tests/faults/test_kill.py
	$(BIN)/python -m pytest -s tests/soak

accuracy: setup  ## Measure the defaults again and write docs/accuracy.md (needs ../shared/data)
	PYTHONPATH=$(CURDIR) $(BIN)/python -m tests.accuracy.page

weights: setup  ## Fetch PixelLib's Mask R-CNN weights (245 MB, needs a network)
	tailwatch weights

clean:  ## Remove outs, pages and caches; MLflow, scores, retrainings and reports of forgetting stay, as do clips
	rm -rf outs reports dvc_plots dvc.lock $(SAMPLE) $(SAMPLE)-truth .dvc/cache .dvc/tmp
	rm -rf $(addprefix .tailwatch/,$(CACHES))
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find components pipelines dags infra tests -name __pycache__ -type d -prune -exec rm -rf {} +
