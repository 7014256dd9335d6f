# Set-up needs Python 3.11 or later and the package index, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   := examples/password-hash --memory 128..1769 -n 20 --report reports/demo.json --report reports/demo.html

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser sample-report lint format bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## set up, then measure a real function on the embedded Lambda: reports/demo.html
	$(BIN)/tuner run $(DEMO) --local

test: $(VENV)/.installed-dev ## set up, then run all tests
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not browser and not alone'
	$(BIN)/python -m pytest -m alone

test-browser: $(VENV)/.installed-dev ## the pages in a real browser: needs Chromium (apt install chromium, or CHROMIUM=/path/to/it)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group browser
	$(BIN)/python -m pytest tests/browser -m browser

sample-report: $(VENV)/.installed ## build reports/sample/ from the durations committed there
	$(BIN)/python reports/sample/build.py

lint: $(VENV)/.installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## let ruff write
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## time the start-up, the client and the embedded Lambda side by side
	$(BIN)/python -m benchmarks

clean: ## remove what the targets made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis reports/demo.json reports/demo.html

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tuner needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	touch $@
