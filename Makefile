# Footfall's commands. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

VENV := .venv
PYTHON := $(VENV)/bin/python
FOOTFALL := $(PYTHON) -m local
UV := $(VENV)/bin/uv
# Hashes for everything that is installed, also for what a source package needs while it is built. A lock is the whole
# closure, less what without.in names: packages that another one asks for and that we do not use.
INSTALL := $(UV) pip install --quiet --python $(PYTHON) --require-hashes --no-deps --build-constraints requirements/run.lock
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --excludes without.in

# Taken as they are: neither make nor the shell looks into them (override: also when given on make's command line).
override export FILE := $(value FILE)
override export SITE := $(value SITE)
override export FORMAT := $(value FORMAT)
override export Q := $(value Q)
override export START := $(value START)
override export END := $(value END)
override export HOUR := $(value HOUR)
override export PAGE := $(value PAGE)
override export STATUS := $(value STATUS)
override export LIMIT := $(value LIMIT)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##
.PHONY: up down status clean import audit sql psql evidence
up: java run ## Start the whole stack: Postgres, Kafka, Airflow, the stream job, the log generator
	@$(FOOTFALL) up $(ARGS)

down: run ## Stop gracefully; the next make up goes on from there
	@$(FOOTFALL) down

status: run ## One screen: processes, lag, last batch, hours, seals; exit code 1 when not well
	@$(FOOTFALL) status

clean: run ## Delete the state folder after a question (YES=1 answers it)
	@$(FOOTFALL) clean $(if $(filter 1,$(YES)),--yes)

import: run ## Import real logs: FILE=path|folder|- [SITE=name] [FORMAT=auto|combined|common|json|LogFormat]
	@test -n "$$FILE" || { echo 'Which log? make import FILE=/var/log/nginx/access.log [SITE=mine] [FORMAT=combined]' >&2; exit 2; }
	@$(FOOTFALL) import --site "$${SITE:-default}" --format "$${FORMAT:-auto}" -- "$$FILE"

audit: java run ## Prove the reports from Kafka's records: [START=2026-11-24T00:00] [END=…]; exit code 1 when cells differ
	@$(FOOTFALL) audit --start "$$START" --end "$$END"

sql: run ## Print a query's result as CSV, as the read-only role: Q="select * from report.live_total"
	@test -n "$$Q" || { echo 'Which query? make sql Q="select * from report.live_total"' >&2; exit 2; }
	@$(FOOTFALL) sql -- "$$Q"

psql: run ## Open psql as the read-only role
	@$(FOOTFALL) psql

evidence: run ## The log lines behind a number: SITE=shop HOUR=2026-11-25T10 [PAGE=/home] [STATUS=404|4xx] [LIMIT=20] [JSON=1]
	@test -n "$$SITE" -a -n "$$HOUR" || { echo 'Which hour? make evidence SITE=shop HOUR=2026-11-25T10 [PAGE=/home] [STATUS=404]' >&2; exit 2; }
	@$(FOOTFALL) evidence --site="$$SITE" --hour="$$HOUR" --path="$$PAGE" --status="$$STATUS" \
		--limit="$${LIMIT:-20}" $(if $(filter 1,$(JSON)),--json)

.PHONY: test test-fast lint bench backtest screenshots lock
test: java dev ## All tests, real services included; needs no make up and leaves your stack alone
	@$(PYTHON) -m pytest -n 2 --no-loadscope-reorder $(ARGS)

test-fast: dev ## Only the tests that start nothing
	@$(PYTHON) -m pytest -n 2 -m "not services and not stack" $(ARGS)

lint: dev ## Style, types, and which room may import which
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: java dev ## Drain a prefilled topic and compare every cell with the truth
	@$(PYTHON) -m benchmarks.drain $(ARGS)

# One thread for each process's linear algebra: there are as many processes as cores.
backtest: dev ## Find incidents in generated weeks: precision, recall, delay, false alarms, forecasts
	@OPENBLAS_NUM_THREADS=1 $(PYTHON) -m benchmarks.backtest $(ARGS)

screenshots: dev ## Take the pictures in docs/pictures from the running stack (after make up); needs Chromium
	@$(PYTHON) -m tests.browser.screenshots

lock: $(VENV)/.uv ## Resolve the requirements anew, with hashes
	@cd requirements && for name in run dev uv; do \
		constraint=""; test $$name = dev && constraint="-c run.lock"; \
		$(subst $(VENV)/,../$(VENV)/,$(COMPILE)) $$constraint $$name.in -o $$name.lock || exit 1; \
	done

# ---- the environment: stamps say what is installed, so that a second run costs nothing
.PHONY: run dev java
run: $(VENV)/.run
dev: $(VENV)/.dev

$(VENV)/.run: $(VENV)/.uv requirements/run.lock pyproject.toml
	@echo "Installing what Footfall runs on (once) …"
	@$(INSTALL) -r requirements/run.lock
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@echo "Installing what the tests need (once) …"
	@$(INSTALL) -r requirements/dev.lock
	@touch $@

$(VENV)/.uv: requirements/uv.lock
	@python="$$(for name in python3 python3.13 python3.12 python3.11; do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$name"; break; fi; done)"; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer is missing. Install it with: $$($(call installer,python3 python3-venv,python3.12,python@3.12))" >&2; exit 1; \
	fi; \
	test -x $(PYTHON) || "$$python" -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "Python's venv module is missing. Install it with: $$($(call installer,python3-venv,python3.12,python@3.12))" >&2; exit 1; \
	}
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

java:
	@java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"; \
	version="$$("$$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)"; \
	if [ "$${version:-0}" -lt 17 ]; then \
		echo "Java 17 or newer is missing (found: $${version:-none}). Install it with: $$($(call installer,openjdk-17-jre-headless,java-17-openjdk-headless,openjdk@17))" >&2; exit 1; \
	fi

# The command that installs a package on this machine: Debian's name, Fedora's, Homebrew's.
installer = if command -v apt-get >/dev/null; then echo "apt-get install $(1)"; \
	elif command -v dnf >/dev/null; then echo "dnf install $(2)"; \
	elif command -v brew >/dev/null; then echo "brew install $(3)"; \
	else echo "your package manager"; fi
