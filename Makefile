# `make demo` shows a market, `make test` proves it. Everything is installed into .venv, once.
#
#   PYTHON      the interpreter that makes .venv (3.11 or later)
#   PIP_FLAGS   passed to pip, for example to name an index that serves torch for processors only
PYTHON ?= python3
PIP_FLAGS ?=
WORKERS ?= 2
# a study's workers are processes, and one thread each gives the same bytes on every machine
THREADS = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

BIN = .venv/bin
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt $(PIP_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts docs bench reproduction format clean

help:
	@echo "make demo          install, run a market and draw its figures"
	@echo "make test          the test suite with coverage"
	@echo "make reproduction  the published numbers, slow"
	@echo "make bench         time and memory, beside the published code's own way"
	@echo "make lint types contracts docs"
	@echo "make clean         remove what make and the tools wrote, runs excepted"

# torch comes first and alone: asked for by name and version, pip takes the build the machine offers
.venv/.torch: constraints.txt
	@echo "installing into .venv, once; this takes a few minutes"
	$(PYTHON) -m venv .venv
	$(PIP) torch
	@touch $@

.venv/.demo: .venv/.torch pyproject.toml
	$(PIP) -e .
	@touch $@

.venv/.test .venv/.lint .venv/.docs: .venv/.%: .venv/.demo
	$(PIP) -e ".[$*]"
	@touch $@

demo: .venv/.demo
	@$(BIN)/market-sim run demo

test: .venv/.test
	$(THREADS) $(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term

reproduction: .venv/.test
	$(THREADS) $(BIN)/python -m pytest -n $(WORKERS) -m slow

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/.lint
	$(BIN)/mypy

contracts: .venv/.lint
	$(BIN)/lint-imports

docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

bench: .venv/.demo
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(THREADS) $(BIN)/python $$file || exit 1; done

clean:
	rm -rf .venv site dist .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
