# Everything that is run here, by people and by CI. `make` lists it.

PYTHON ?= python3
UV_VERSION := 0.13.8
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
SAMPLE := data/sample

.DEFAULT_GOAL := help
.PHONY: help setup system demo test check integration soak bench accuracy weights clean

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready  ## Install everything into .venv from the lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Tailwatch runs on Python 3.11; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/pip install --quiet uv==$(UV_VERSION)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
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
	$(BIN)/python -m pytest -n 2 --dist loadfile tests --ignore tests/integration --ignore tests/faults --ignore tests/soak

check: setup  ## Style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

integration: setup  ## Tests with real servers, a browser, kills and faults
	$(BIN)/python -m pytest -n 2 --dist load tests/integration tests/faults

bench: setup  ## Speed and memory, beside the recipe of paper 000: docs/performance.md
	$(BIN)/python -m tests.benchmarks.bench

soak: setup  ## Long tests: two hundred killed runs, ten thousand damaged videos (SOAK_SEED=N: others)
	TAILWATCH_SEEDS=200 $(BIN)/python -m pytest -n 2 tests/faults/test_kill.py
	$(BIN)/python -m pytest -s tests/soak

accuracy: setup  ## Measure the defaults again and write docs/accuracy.md (needs ../shared/data)
	PYTHONPATH=$(CURDIR) $(BIN)/python -m tests.accuracy.page

weights: setup  ## Fetch PixelLib's Mask R-CNN weights (245 MB, needs a network)
	tailwatch weights

clean:  ## Remove what runs made (not .venv, not the users' clips)
	rm -rf outs reports dvc_plots .tailwatch mlflow.db mlartifacts mlruns dvc.lock $(SAMPLE) $(SAMPLE)-truth .dvc/cache .dvc/tmp
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find components pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +
