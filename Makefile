# The verbs of this house. `make up` starts everything; `make test` runs everything.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1

PYTHON := .venv/bin/python
STAMP := .venv/.set-up
LOCKS := requirements/dev.txt requirements/uv.txt
# Settings for the checks alone, which need no server.
CHECK_KEY := AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
CHECK_ENV := DATABASE_URL=postgresql:///heed REDIS_URL=redis://127.0.0.1:1/0 HEED_DEMO=1 \
	HEED_PUBLIC_URL=http://127.0.0.1:8000 HEED_SECRET_KEY=$(CHECK_KEY) HEED_LINK_KEYS=1:$(CHECK_KEY) \
	HEED_ADDRESS_KEY=$(CHECK_KEY) HEED_SECRETS_KEYS=1:$(CHECK_KEY)

.PHONY: help setup up test faults docs check fix messages bench lock clean

help: ## say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment and nothing else

$(STAMP): $(LOCKS)
	@bash local/setup.sh

up: $(STAMP) ## start everything, with demo data; Ctrl-C stops it
	@$(PYTHON) -m local

test: $(STAMP) ## run the whole suite against real servers
	@$(PYTHON) -m pytest -q -n auto

faults: $(STAMP) ## kill, cut, flush and misbehave for long; writes the table of docs/faults.md
	@HEED_FAULTS=long $(PYTHON) -m pytest -q -n 2 tests/faults tests/config/test_typed_values.py

docs: $(STAMP) ## make anew the pages that are made from code and tests (architecture, providers, requirements)
	@WRITE_PAGE=1 $(PYTHON) -m pytest -q tests/newsletter/delivery/test_transitions.py \
		tests/test_requirements.py \
		tests/newsletter/transports/providers/test_provider_table.py

check: $(STAMP) ## format, lint, types, floors, migrations, templates; changes nothing
	@.venv/bin/ruff format --check -q .
	@.venv/bin/ruff check -q .
	@$(CHECK_ENV) .venv/bin/mypy .
	@.venv/bin/lint-imports --no-logo
	@$(CHECK_ENV) $(PYTHON) -W ignore manage.py makemigrations --check --dry-run
	@$(CHECK_ENV) $(PYTHON) manage.py check
	@.venv/bin/djlint --quiet --lint templates

fix: $(STAMP) ## mend what the check can mend by itself
	@.venv/bin/ruff check -q --fix . || true
	@.venv/bin/ruff format -q .

messages: $(STAMP) ## take readers' words out of code and templates into locale/
	@$(PYTHON) -m local.messages

bench: $(STAMP) ## measure; prints JSON (needs smtp-sink on PATH)
	@bash benchmarks/run.sh

lock: $(STAMP) ## compile requirements/*.txt from pyproject.toml
	@bash local/lock.sh

clean: ## forget the demo: its data, its keys, its mail
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m local forget; fi
	@rm -rf var
