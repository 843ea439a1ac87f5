# One vocabulary for people, hooks and the checks: `make` alone lists the words.
PYTHON ?= python3
ARGS ?=
PORT ?= 5001

BIN := .venv/bin
STAMP := .venv/.installed
UV = $(BIN)/uv
COMPILE = $(UV) pip compile --quiet --universal --fork-strategy fewest --no-header --no-annotate
IN_VENV = PATH="$(CURDIR)/$(BIN):$$PATH"

export MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/mlflow.db
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install train test test-all test-lowest study bench serve format lint types layers locked lock package check clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

# pip brings uv, uv brings the rest: seconds instead of minutes. Compiled once here, not in every process (some machines keep no bytecode).
$(STAMP): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null || \
	  { echo "appetite needs Python 3.11 or 3.12, and $(PYTHON) is '$$($(PYTHON) --version 2>&1)': name another, make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements-dev.lock)"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## make .venv with the locked versions
	@:

train: install ## train on the sample market (another: ARGS="-P market=conf/market-files.yaml")
	@$(IN_VENV) mlflow run . --env-manager local --experiment-name appetite $(ARGS)

test: install ## the tests, in under ten minutes
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

test-all: install ## every test, the slow statistical ones too, with coverage
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --run-slow --cov --cov-report=term $(ARGS)

test-lowest: install ## the tests with the oldest versions that pyproject.toml allows, in .venv-lowest
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-lowest
	@$(UV) pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct --requirement pyproject.toml --extra dev
	@.venv-lowest/bin/python -m pytest -q -n 2 --dist loadfile $(ARGS)

study: install ## size, power, coverage, deflation in simulated worlds: writes docs/VALIDATION.md (one alone: ARGS="--only A7")
	@$(BIN)/python -m tests.validation $(ARGS)

bench: install ## measure against peers: prints a table, writes benchmarks/results.json
	@$(BIN)/python -m benchmarks $(ARGS)

serve: install ## answer over HTTP on this machine with the champion (PORT=5001)
	@$(IN_VENV) mlflow models serve --model-uri models:/appetite@champion --env-manager local --host 127.0.0.1 --port $(PORT) $(ARGS)

format: install ## put the code into its form
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

lint: install ## form and ruff's rules
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make format" >&2; exit 1; }
	@$(BIN)/ruff check .

types: install ## mypy, strict
	@$(BIN)/mypy

layers: install ## who may import whom
	@$(BIN)/lint-imports --no-logo

locked: install ## what is installed is the lock, satisfies pyproject.toml, and the lock names no address or path
	@$(BIN)/python .ci/lock.py
	@$(UV) pip check --python $(BIN)/python

lock: install ## both locks and python_env.yaml from pyproject.toml (newest versions: ARGS=--upgrade)
	@$(COMPILE) $(ARGS) pyproject.toml --output-file requirements.lock
	@$(COMPILE) $(ARGS) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(BIN)/python .ci/lock.py --write

package: install ## build the wheel and look whether it holds what it should
	@rm -rf build dist && mkdir dist
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist . >dist/build.log 2>&1 || { cat dist/build.log >&2; exit 1; }
	@rm -rf build
	@$(BIN)/python .ci/wheel.py dist/*.whl

check: lint types layers locked package ## everything but the tests

clean: ## remove .venv, caches and builds; runs and mlflow.db stay
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
