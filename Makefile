PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
SLOW ?=
CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
	{ echo "Darkroom needs Python 3.11 or 3.12: make PYTHON=python3.11 …"; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help .venv simulate test lint bench-peers clean

help:
	@echo "make simulate   run the quickstart (ARGS='experiment=… key=value' changes it)"
	@echo "make test       run the tests (SLOW=1 adds the slow ones, SLOW=all the exhaustive too)"
	@echo "make lint       check style, types and import contracts"
	@echo "make bench-peers  install pfl-research beside, for darkroom bench --peers"
	@echo "make .venv      install only"
	@echo "make clean      remove .venv and caches"

.venv: $(BIN)/installed

$(BIN)/installed: requirements.txt pyproject.toml
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

simulate: $(BIN)/installed
	@$(BIN)/darkroom simulate $(ARGS)

test: $(BIN)/installed
	$(BIN)/python -m pytest -n 2 $(if $(SLOW),$(if $(filter all,$(SLOW)),,-m "not exhaustive"),-m "not slow") $(ARGS)

lint: $(BIN)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-peers: .venv-peers/installed

.venv-peers/installed: requirements-peers.txt
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-peers.txt
	@touch $@

clean:
	rm -rf .venv .venv-peers build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
