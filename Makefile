# make quickstart   set up and run the quickstart campaign, offline, to its ranking and report
# make test         set up and run the tests
# make check        lint, format, types and tests

PYTHON ?= python3
VENV ?= .venv
# The exact release: pip then takes a CPU build of it where one is at hand instead of CUDA packages.
TORCH ?= torch==2.13.0

BIN := $(VENV)/bin

.PHONY: quickstart test check slow clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,chgnet,hpc,notebooks,parquet,postgres,remote]"
	touch $@

quickstart: $(VENV)/.installed
	$(BIN)/lithiophile run examples/quickstart.yaml

test: $(VENV)/.developed
	$(BIN)/python -m pytest --durations=10

slow: $(VENV)/.developed
	$(BIN)/python -m pytest --durations=20 -m slow

check: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --durations=10

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
