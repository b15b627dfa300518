# The development loop. `make` lists the targets; each is short enough to be read here or in the script it calls.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test test-long lint fix bench bench-peers soak docs lock

VENV := .venv
BIN := $(VENV)/bin
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do $$p -c "$(NEW_ENOUGH)" 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CLEAN := $(BIN)/python scripts/environment.py
# Files of tests that run side by side: most wait for servers to start, so that two cores bear three.
TESTS_AT_ONCE ?= 3

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/project.stamp ## install into .venv from the locked requirements, and fetch the local model's weights
	@$(BIN)/python -m trunkline.local || [ "$${CI:-}" != true ]

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Trunkline needs Python 3.11 or later with its venv module; PYTHON=/path/to/python make setup" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/packages.stamp: requirements/runtime.txt requirements/dev.txt | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/dev.txt
	@touch $@

$(VENV)/project.stamp: pyproject.toml $(VENV)/packages.stamp
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## serve on http://127.0.0.1:8787 with the local model; no key of any provider is needed
	@exec $(BIN)/trunkline serve --demo-key $(ARGS)

test: setup ## what CI runs: lint, then all tests but the long ones
	@scripts/debian-packages && scripts/npm-packages tests/contract/npm
	@$(MAKE) --no-print-directory lint
	@$(CLEAN) $(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --durations=20 -rs $(ARGS)

test-long: setup ## full products, kills, outages, millions of rows: by hand before an issue is closed
	@scripts/debian-packages && scripts/npm-packages tests/contract/npm tests/contract/agents
	@$(CLEAN) $(BIN)/python -m pytest -m long --durations=20 $(ARGS)

lint: $(VENV)/project.stamp ## format, rules, types, import layers
	@$(BIN)/ruff format --check --quiet && $(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/project.stamp ## repair what lint can repair
	@$(BIN)/ruff check --fix --quiet && $(BIN)/ruff format

bench: setup ## measure against plain proxies on this machine; results in bench-results/
	@scripts/debian-packages
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@$(CLEAN) $(BIN)/python -m bench $(ARGS)

bench-peers: setup ## measure beside TensorZero, Portkey and LiteLLM, which are installed into .bench-peers/
	@$(BIN)/python -m bench.environments
	@$(MAKE) --no-print-directory bench ARGS="--peers $(ARGS)"

soak: setup ## half an hour of load, watching memory; ARGS="--minutes 5" for a shorter one
	@$(CLEAN) $(BIN)/python -m bench.soak $(ARGS)

docs: $(VENV)/project.stamp ## write docs/reference/ from the code
	@$(BIN)/python scripts/reference.py

lock: $(VENV)/project.stamp ## resolve requirements/ anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@$(PIP) install pip-tools==7.6.2
	@$(BIN)/python scripts/lock.py $(ARGS)
