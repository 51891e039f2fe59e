# Everything written is in .venv/ and .cache/; `make clean` removes both.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.stamp
CONSUL := .cache/consul/consul
UV_VERSION := 0.13.8
# Tests wait more than they compute: several at once for each core.
WORKERS ?= 4
# What there is with Python in it.
CODE := $(wildcard syncer tests demo tools/*.py)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis

.PHONY: help setup consul demo test lint format bench image docs licences audit lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with what the lock file names
	@:

$(STAMP): requirements-dev.lock tools/setup.sh
	@tools/setup.sh

consul: ## find a real Consul, or unpack one into .cache
	@tools/consul.sh >/dev/null

demo: setup consul ## show both directions at work; KEEP=1 to leave it running
	@KEEP='$(KEEP)' $(BIN)/python -m demo

test: setup consul ## all tests, WORKERS=4 at once, with coverage; ARGS=... for pytest
	@tools/browser.sh >/dev/null
	@tools/promtool.sh >/dev/null
	@rm -rf .cache/coverage && mkdir -p .cache/coverage
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal --cov --cov-report=term $(ARGS)
	@$(BIN)/python -m coverage report --include='syncer/core/*' --fail-under=100 >.cache/coverage/core.txt || \
		{ echo 'The core is not covered whole:'; cat .cache/coverage/core.txt; exit 1; }

lint: setup ## style, format, types, floors
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE) || { echo 'Not formatted: run `make format`.'; exit 1; }
	@$(BIN)/mypy --no-error-summary $(CODE)
	@$(BIN)/lint-imports --cache-dir .cache/import-linter >.cache/import-linter.txt || \
		{ cat .cache/import-linter.txt; exit 1; }
	@echo 'lint: style, format, types and floors hold'

format: setup ## put code into the one format, and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix-only $(CODE)
	@$(BIN)/ruff format --quiet $(CODE)

bench: setup consul ## measure, beside a plain poller, and print the table
	@$(BIN)/python -m tests.bench

image: setup consul ## build the image without a daemon, and run it against real and emulated registries
	@tools/image.sh
	@$(BIN)/python -m pytest -q -m image tests/deploy

docs: setup ## build the documentation into .cache/site, and check its links
	@tools/docs.sh
	@$(BIN)/python -m pytest -q tests/docs

licences: setup ## list the licences of what the image contains
	@tools/licences.sh

audit: setup ## ask for known vulnerabilities of the locked dependencies, where the network allows
	@tools/audit.sh

lock: ## write both lock files anew (UPGRADE=1 takes newer versions)
	@UV_VERSION=$(UV_VERSION) UPGRADE='$(UPGRADE)' tools/lock.sh

clean: ## remove .venv and .cache
	@rm -rf .venv .cache
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
