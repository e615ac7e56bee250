# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# two cores: OpenMP threads that spin while they wait slow torch down many times under contention
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help demo demo-fast test lint format docs clean

help: ## Show this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rlvr-gym needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing rlvr-gym[train] into $(VENV) ..."
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing rlvr-gym[hf,docker,eval,dev] into $(VENV) ..."
	$(PIP) --editable '.[hf,docker,eval,dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing rlvr-gym[docs] into $(VENV) ..."
	$(PIP) --editable '.[docs]'
	@touch $@

demo: $(VENV)/.demo ## Train a policy from scratch on the CPU (about three minutes) and write a report
	@# a finished demo makes room for a new one, an interrupted one goes on
	@if [ -f runs/demo/summary.json ]; then rm -rf runs/demo; fi
	$(BIN)/rlvr-gym train recipes/demo.yaml --run-dir runs/demo --resume

demo-fast: $(VENV)/.demo ## The demo's shape in under a minute
	@rm -rf runs/demo-fast
	$(BIN)/rlvr-gym train recipes/demo_fast.yaml --run-dir runs/demo-fast

test: $(VENV)/.dev ## Run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(or $(TEST_WORKERS),2) --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## Build the documentation into site/ (no network is needed to read it)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## Remove what was built
	rm -rf build dist site runs .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
