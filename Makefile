# Every task of the project. `make` lists them. Needed: Python 3.11 to 3.13, git, make.

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
# Exists when the packages of the requirements.lock that it is newer than are installed.
READY := $(VENV)/.ready

# Where it is set each of the many processes that demo and tests start compiles our modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up cluster test test-long bench peers check types sql fmt browser screenshots docs lock outdated clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' \
	  | while IFS='|' read -r name text; do printf '  make %-11s  %s\n' "$$name" "$$text"; done

setup: $(READY) ## Make .venv with every package, pinned and checked by hash (PYTHON=... chooses the interpreter)
	@echo "Everything is installed in $(VENV). See it at work: make demo"

demo: $(READY) ## Show everything at work in real Airflow: 10,000 clients, a first load, changes, an incremental run
	@$(BIN)/python -m local.demo

up: $(READY) ## Run the whole stack until Ctrl-C, and print Airflow's address (KEEP=1 keeps the data, PORT=8080)
	@$(BIN)/python -m local.demo.up $(if $(KEEP),--keep) $(if $(PORT),--port $(PORT))

cluster: $(READY) ## Run a backfill of 200,000 clients on two Celery workers and kill one (ARGS="--clients 20000" or --help)
	@$(BIN)/python -m local.demo.cluster $(ARGS)

# Without a browser the tests that need one fail, and say the same; all others run. Coverage and its
# floor (pyproject.toml) are for the whole suite only: a part would always be below.
test: check ## Check, then run all tests, four at a time (ARGS="-m 'not airflow'" passes options to pytest)
	@$(BIN)/python -m local.browser.chromium || true
	@$(BIN)/python -m tests.support.pgbouncer || true
	$(BIN)/python -m pytest -q -n 4 --dist loadgroup -m "not slow" $(or $(ARGS),--cov --cov-report=)

test-long: $(READY) ## Kill a worker, kill every kind of run at every point, try new random histories, for hours (ARGS="--hypothesis-seed=N")
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python -m pytest -q -n 2 tests/stateful --hypothesis-profile=long $(ARGS)

bench: $(READY) ## Measure what a sync costs; more than an hour (ARGS="--rows 100000 --repetitions 1", ARGS=--help)
	@$(BIN)/python -m benchmarks $(ARGS)

PEERS := .venv-peers
# Compared with, and not used: pinned here, in environments of their own, not in the lock.
peers: $(READY) ## Compare with dlt, drt and a plain task, which are installed in .venv-peers (ARGS="--clients 20000")
	@for name in dlt drt; do test -d $(PEERS)/$$name || $(BIN)/uv venv --quiet --seed --python $(BIN)/python $(PEERS)/$$name; done
	@$(BIN)/uv pip install --quiet --python $(PEERS)/dlt/bin/python "dlt==1.31.0" "pandas<3" psycopg2-binary \
	  requests email-validator phonenumbers regex sqlalchemy
	@$(BIN)/uv pip install --quiet --python $(PEERS)/drt/bin/python "drt-core[postgres]==1.2.1"
	@$(BIN)/python -m benchmarks.peers $(ARGS)

check: $(READY) ## Check style, types and SQL
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory --jobs=2 types sql

types:
	$(BIN)/mypy

sql:
	$(BIN)/sqlfluff lint --disable-progress-bar include/sql

fmt: $(READY) ## Format the Python files, and fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

browser: $(READY) ## Find the Chromium that tests and screenshots need; as root on Debian, install it
	@$(BIN)/python -m local.browser.chromium

screenshots: browser ## Take the pictures in docs/images again, of the demo in a real browser
	@$(BIN)/python -m local.browser.screenshots $(ARGS)

docs: $(READY) ## Write what is made from the code: four of docs/*.md and the state database's schema.sql
	@$(BIN)/python -m local.docs_generator
	@$(BIN)/python -m tests.support.scenarios

# No --exclude-newer: a date here kept newer pins from being found, until somebody moved it. What the
# lock has stays as it is unless the two lists or --upgrade ask for another one.
lock: $(READY) ## Pin every package that the two lists of requirements need in requirements.lock (ARGS=--upgrade: the newest)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --no-annotate --custom-compile-command "make lock" $(ARGS) requirements.txt -o requirements.lock

outdated: $(READY) ## List the pins of both lists that have a newer release; a comment there says why one stays
	@list=$$($(BIN)/uv pip list --quiet --outdated --python $(BIN)/python) || exit 1; \
	  pins=$$(grep -ohE '^[A-Za-z0-9][A-Za-z0-9._-]*' requirements-product.txt requirements.txt | paste -sd'|' -); \
	  printf '%s\n' "$$list" | grep -iE "^($$pins) " || echo "Every pin is at the newest release."

clean: ## Remove .venv, what the stack left in .run, and the caches
	rm -rf $(VENV) .run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Byte code is compiled at once: without it Airflow starts three times slower, and where
# PYTHONDONTWRITEBYTECODE is set it would never appear. The .pth file makes plugins/ (as Airflow does)
# and this folder importable.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one and name it, for example: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); } \
	  || { rm -rf $(VENV); echo "'$(PYTHON) -m venv' failed. Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the packages of requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@printf '%s\n' "$(CURDIR)/plugins" "$(CURDIR)" \
	  > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/contact_sync.pth"
	@touch $(READY)
