# Set-up needs Python 3.11 or later and the package index, nothing else. What it installs is locked in requirements/,
# by exact version and hash. uv does the same in a tenth of the time, so it is used where it is there.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     ?= $(shell command -v uv)
DEMO   := examples/password-hash --memory 128..1769 -n 12 --report reports/demo.json --report reports/demo.html

ifeq ($(UV),)
ENVIRONMENT = $(PYTHON) -m venv $(VENV)
INSTALL     = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check
else
ENVIRONMENT = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
INSTALL     = $(UV) pip install --quiet --python $(BIN)/python
endif
LOCKED = $(INSTALL) --require-hashes --requirement

.DEFAULT_GOAL := help
.PHONY: help demo test check test-as-user test-browser test-lowest test-newest lock sample-report lint format simulation bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## set up, then measure a real function on the embedded Lambda: reports/demo.html
	$(BIN)/tuner run $(DEMO) --local

test: $(VENV)/.installed-dev ## set up, then run all tests
	@$(BIN)/python tests/parts.py unit docs statistics process alone

check: $(VENV)/.installed-dev lint ## lint, then the unit, property and golden tests
	@$(BIN)/python tests/parts.py unit

test-as-user: $(VENV)/.installed-dev ## what depends on who runs it: files, runtimes, the embedded Lambda
	@$(BIN)/python tests/parts.py user

test-browser: $(VENV)/.installed-dev ## the pages in a real browser: needs Chromium (apt install chromium, or CHROMIUM=/path/to/it)
	$(LOCKED) requirements/browser.txt
	@$(BIN)/python tests/parts.py browser

test-lowest: ## unit, property and golden tests with the lowest versions that pyproject.toml allows
	requirements/resolve lowest-direct $(PYTHON)

test-newest: ## the same with the newest versions there are, whatever the lock says
	requirements/resolve highest $(PYTHON)

lock: ## renew requirements/*.txt with the newest versions
	requirements/lock

sample-report: $(VENV)/.installed ## build reports/sample/ from the durations committed there
	$(BIN)/python reports/sample/build.py

lint: $(VENV)/.installed-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## let ruff write
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulation: $(VENV)/.installed-dev ## 100,000 schedules of runs beside others, in virtual time; SEED=... for others
	$(BIN)/python -m benchmarks.simulation --schedules 100000 --seed $(or $(SEED),1)

bench: $(VENV)/.installed-dev ## time the start-up, the client and the embedded Lambda side by side
	$(BIN)/python -m benchmarks

clean: ## remove what the targets made
	rm -rf $(VENV) .venv-lowest-direct .venv-highest dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f reports/demo.json reports/demo.html

$(VENV)/.installed: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tuner needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) from requirements/run.txt"
	@$(ENVIRONMENT)
	@$(LOCKED) requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.txt
	@echo "Adding the development tools from requirements/dev.txt"
	@$(LOCKED) requirements/dev.txt
	@touch $@
