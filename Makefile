# Sportmonks ETL. `make run` and `make test` are the two commands to know; `make` alone lists all.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c '$(SUITABLE)' 2>/dev/null && command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
N ?= 20
ARGS ?=

.PHONY: help run down status test test-airflow install install-dev lint format types lock chaos bench compose-check compose-pin dbt dbt-trial notebook notebook-trial clean

help:  ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install  ## start everything, run all leagues, show the outcome (Ctrl-C stops everything)
	@exec ./etl demo $(ARGS)

down:  ## stop everything; data stay
	@if [ -x $(BIN)/python ]; then exec ./etl down; else echo "nothing is installed, so nothing runs"; fi

status:  ## show what runs
	@exec ./etl status

test: install-dev lint types  ## every check and every test (ARGS="-k load" for some)
	@exec $(BIN)/python -m tests $(ARGS)

test-airflow: install-dev  ## the wheel on another Airflow, in an environment of its own (VERSION=3.1.8 or lowest; ARGS=--quick)
	@PYTHONPATH=plugins:. exec $(BIN)/python -m tests.dags.other_release $(or $(VERSION),3.1.8) $(ARGS)

install: $(VENV)/.installed  ## environment with the locked requirements
install-dev: $(VENV)/.installed-dev  ## the same plus what tests and checks need

$(VENV)/.installed: requirements.txt local/stack/install.sh
	@PYTHON="$(PYTHON)" sh local/stack/install.sh requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt local/stack/install.sh
	@PYTHON="$(PYTHON)" sh local/stack/install.sh requirements-dev.txt
	@touch $@ $(VENV)/.installed

lint: install-dev  ## ruff: rules and format; import-linter: who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@PYTHONPATH=plugins:. $(BIN)/lint-imports --no-logo

format: install-dev  ## put imports and layout in order
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

types: install-dev  ## mypy
	@$(BIN)/mypy

lock: install-dev  ## compile requirements*.in into requirements*.txt (UPGRADE=1: newest versions)
	@for name in requirements requirements-dev; do \
		$(VENV)/tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
			--no-emit-index-url --no-header $${UPGRADE:+--upgrade} $$name.in --output-file $$name.txt || exit 1; \
	done

chaos: install-dev  ## seeded random kills and faults, compared with the truth (N=200: a long run)
	@exec $(BIN)/python -m tests.chaos --runs $(N) $(ARGS)

compose-check: install-dev  ## docker-compose.yaml: the config; with an engine at hand also up, a league, the page, kills (ARGS="--no-celery")
	@PYTHONPATH=plugins:. $(BIN)/python -m tests.deploy.compose $(ARGS)

compose-pin:  ## write the digests of the images that docker compose pulls into .env
	@python3 local/deploy/pin_images.py

bench: install-dev  ## measure all in turn (half an hour): ours against dlt and Singer, load against COPY, a slow API, volume
	@exec $(BIN)/python -m benchmarks $(ARGS)

dbt: install  ## dbt on the local warehouse: freshness of the sources, models and tests (ARGS="--select stg_matches")
	@ETL_DBT_DSN="$$(./etl dsn)" PYTHON="$(PYTHON)" sh analytics/dbt/build.sh $(ARGS)

dbt-trial: install-dev  ## the same on a small warehouse that is filled from the sandbox and gone afterwards
	@PYTHON="$(PYTHON)" PYTHONPATH=plugins:. $(BIN)/python -m tests.analysis.trial dbt $(ARGS)

notebook: install  ## a notebook with pictures of a season on the local warehouse; writes build/notebook/season.html
	@ETL_NOTEBOOK_DSN="$$(./etl dsn --read-only)" PYTHON="$(PYTHON)" sh analytics/notebook/run.sh

notebook-trial: install-dev  ## the same on a small warehouse that is filled from the sandbox and gone afterwards
	@PYTHON="$(PYTHON)" PYTHONPATH=plugins:. $(BIN)/python -m tests.analysis.trial notebook

clean:  ## stop everything and delete the local data and caches (.env and .venv stay)
	@if [ -x $(BIN)/python ]; then ./etl clean; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build
