# Everyday work. Each target makes .venv first if it is not there or the locks have changed.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
READY := $(VENV)/.ready
# A process a processor, each with servers of its own; more than four would only wait for the disk.
SIDE_BY_SIDE := -n auto --maxprocesses 4

# Passed on to the command: make demo ARGS="--stay", make test ARGS="-k slack -x".
ARGS ?=

.PHONY: help
help: ## This list
	@echo "make <target> [ARGS=\"...\"]   (ARGS go to the command behind the target)"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(READY) ## Everything on this machine, with a day of example feedback; ARGS=--stay leaves it running
	@$(BIN)/listeningpost demo $(ARGS)

.PHONY: check
check: format-check lint types imports fast ## What must hold before a commit: format, lint, types, walls, fast tests

.PHONY: test
test: $(READY) ## All tests against real parts: unit, contract, integration, end to end, and parts being killed
# A file stays together, for what it started; the long ones come first, so that all processes end alike.
	$(PYTEST) $(SIDE_BY_SIDE) --dist loadfile --no-loadscope-reorder \
		tests/chaos tests/e2e tests/integration tests/contract tests/unit $(ARGS)

.PHONY: fast
fast: $(READY) ## Unit and contract tests only
	$(PYTEST) -q $(SIDE_BY_SIDE) tests/unit tests/contract $(ARGS)

.PHONY: test-kafka
test-kafka: $(READY) java ## Integration and chaos tests on Apache Kafka itself (Java 17; fetches its jars once)
	$(PYTEST) --stack=apache-kafka tests/integration tests/chaos tests/e2e/test_erasure.py $(ARGS)

.PHONY: test-kafka-smoke
test-kafka-smoke: $(READY) java ## The few of them that must be seen on Apache Kafka before a release
	$(PYTEST) --stack=apache-kafka -m kafka_smoke $(ARGS)

.PHONY: soak
soak: $(READY) java ## Minutes of load on Apache Kafka with parts being killed, and large files; nothing may be lost
	$(PYTEST) --stack=apache-kafka -m soak --timeout=0 tests/chaos tests/integration $(ARGS)

.PHONY: compose-test
compose-test: $(READY) ## The compose file on Docker: built, used through every door, restarted under load, stopped
	$(PYTEST) -m compose -x --capture=no tests/e2e/test_compose.py tests/e2e/test_first_hour.py \
	  tests/e2e/test_backup_document.py $(ARGS)

.PHONY: bench
bench: $(READY) ## Throughput and latency on this machine
	$(BIN)/python -m tests.load $(ARGS)

.PHONY: format
format: $(READY) ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: format-check lint types imports
format-check: $(READY)
	$(BIN)/ruff format --check .
lint: $(READY)
	$(BIN)/ruff check .
types: $(READY)
	$(BIN)/mypy
imports: $(READY)
	$(BIN)/lint-imports --no-logo

.PHONY: lock
lock: $(READY) ## Write requirements/*.txt from pyproject.toml (UPGRADE=1 takes newer versions)
	@requirements/compile

.PHONY: clean
clean: ## Remove .venv, caches and what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . \( -name __pycache__ -o -name __prepared__ \) -type d -prune -exec rm -rf {} +

.PHONY: java
java:
	@{ [[ "$$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')" -ge 17 ]] && command -v mvn >/dev/null; } || \
	  { echo "Missing: Java 17 or Maven. On Debian or Ubuntu: apt-get update && apt-get install -y openjdk-17-jre-headless maven" >&2; exit 1; }

# Two stamps: a change of pyproject.toml installs the project again (seconds), a change of the lock everything.
$(VENV)/.locked: requirements/dev.txt requirements/install
	@requirements/install $(VENV)
	@touch $@

$(READY): $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@
