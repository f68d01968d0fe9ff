# Regatta: the commands that README and CI use.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements.sha256
ARGS ?=
MARKET ?=
TEST_PROCESSES ?= 2
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test check bench format clean

setup:
	@if [ ! -x $(BIN)/python ]; then $(PYTHON) -m venv $(VENV); fi
	@if [ "$$(sha256sum requirements.txt | cut -d' ' -f1)" != "$$(cat $(STAMP) 2>/dev/null)" ]; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
		&& sha256sum requirements.txt | cut -d' ' -f1 > $(STAMP); fi

demo: setup
	@$(BIN)/python manage.py demo $(if $(MARKET),--market "$(MARKET)") $(ARGS)

test: setup
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy tournament platform/regatta workers client/src
	@PYTHONPATH=platform:.:client/src $(BIN)/lint-imports --no-cache
	@if [ -d platform/regatta/templates ]; then $(BIN)/djlint --lint --quiet platform/regatta/templates; fi
	@$(BIN)/codespell
	@$(BIN)/vulture
	@DATABASE_URL=postgres://none@127.0.0.1:1/none SECRET_KEY=none $(BIN)/python -W ignore manage.py \
		makemigrations --skip-checks --check --dry-run  # models against files; no server is needed, nor started for it

bench: setup
	@for script in benchmarks/bench_*.py; do echo "== $$script"; PYTHONPATH=platform:. $(BIN)/python $$script || exit 1; done

format: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	@rm -rf var .pytest_cache .ruff_cache .mypy_cache
