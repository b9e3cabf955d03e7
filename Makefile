# `make demo`: a real model, evaluated on real questions. `make test`: everything that CI checks.
# Both make what they need, on a machine where nothing was installed before, and reuse it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: help install demo test format lint types contracts pytest docs lock bench peers clean

help: ## Show the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed-dev ## Make .venv with everything for development.

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "llmops needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# The light core is all that the demo needs.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

# torch first and by itself: the default build brings gigabytes of CUDA where a CPU build will do.
$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'torch==2.13.0+cpu' \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'torch==2.13.0+cpu' --extra-index-url https://download.pytorch.org/whl/cpu
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

demo: $(VENV)/.installed ## Serve a real open model, evaluate it on real questions, show the report.
	$(BIN)/llmops serve --detach --port $(PORT)
	LLMOPS_MODELS__LOCAL__API_BASE=http://127.0.0.1:$(PORT)/v1 $(BIN)/llmops eval run qa/xquad --html .llmops/demo.html
	@echo "The model is still served; stop it with: $(BIN)/llmops serve --stop"

test: install format lint types contracts pytest ## Check format, lint, types, import contracts; run the tests.

format:
	$(BIN)/ruff format --check llmops tests benchmarks docs

lint:
	$(BIN)/ruff check llmops tests benchmarks docs

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports --no-logo

pytest:
	$(BIN)/pytest

docs: install ## Write the generated reference again.
	$(BIN)/python docs/generate.py

# torch stays at the build that vLLM pins too; what belongs to its CUDA build is left out.
# Not after `install`, which a new dependency and the old constraints could make impossible.
lock: | $(VENV)/bin/python ## Work out constraints.txt anew.
	$(BIN)/python -m pip install --quiet uv
	echo 'torch==2.13.0' | $(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --constraint - --no-annotate --no-header --quiet --upgrade \
	  | grep -v -E '^(nvidia-|cuda-|triton)' \
	  | sed '1i # Versions that CI installs, for every supported Python. Made by `make lock`.' > constraints.txt.new
	mv constraints.txt.new constraints.txt

bench: install ## Measure; see benchmarks/README.md.
	$(BIN)/python benchmarks/run.py all

peers: install ## Install the tools that `make bench` measures beside ours; 2 GB.
	$(BIN)/python benchmarks/run.py --install-peers

clean: ## Remove the environment, runs and caches of this folder.
	rm -rf $(VENV) .llmops .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
