# serve, test, lint, bench, lock: nothing else to learn. `setup` is done by each of them.
SHELL := /bin/bash
PYTHON := $(shell command -v python3.11 2>/dev/null)
UV := .venv/bin/uv
.DEFAULT_GOAL := help

help:
	@echo "make serve   start Huiyin (sets everything up first)"
	@echo "make test    run every test"
	@echo "make lint    ruff and mypy"
	@echo "make bench   measure the budgets"
	@echo "make lock    choose new versions of all packages"

serve: setup
	@exec .venv/bin/huiyin serve

test: setup-dev
	@.venv/bin/python -m pytest -q -m "not acceptance" -n auto --maxprocesses 4 --dist loadgroup
	@.venv/bin/python -m pytest -q -m acceptance

lint: .venv/ready-dev
	@.venv/bin/ruff check .
	@.venv/bin/mypy

bench: setup-dev
	@.venv/bin/python -m benchmarks

setup: .venv/ready bot/.venv/ready
	@.venv/bin/huiyin train --shipped

setup-dev: setup .venv/ready-dev

# The service's environment. uv comes from its own package into the environment it then fills.
.venv/uv:
	@test -n "$(PYTHON)" || { echo "Huiyin needs Python 3.11: install it (Debian: apt-get install python3.11 python3.11-venv), then run make again." >&2; exit 1; }
	@free=$$(df -Pm . | awk 'NR==2 {print $$4}'); test "$$free" -ge 4000 || { echo "Huiyin needs 4 GB of free disk space here, there are $$free MB: make room, then run make again." >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv || { echo "Python 3.11 cannot make environments: install python3.11-venv, then run make again." >&2; exit 1; }
	@grep -A60 '^uv==' requirements.txt | awk 'NR>1 && !/^ / {exit} {print}' > .venv/uv.txt
	@.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@touch $@

.venv/ready: .venv/uv requirements.txt pyproject.toml
	@echo "Setting up the service …"
	@VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes --compile-bytecode -r requirements.txt
	@echo "$(CURDIR)" > .venv/lib/python3.11/site-packages/huiyin.pth
	@printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m service "$$@"\n' "$(CURDIR)" > .venv/bin/huiyin
	@chmod +x .venv/bin/huiyin
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	@VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes --compile-bytecode -r requirements-dev.txt
	@touch $@

# The assistant's environment: Rasa has its own, see docs/decisions/0001.
bot/.venv/ready: .venv/uv bot/requirements.txt
	@echo "Setting up the assistant …"
	@$(UV) venv -q --clear --python "$(PYTHON)" bot/.venv
	@VIRTUAL_ENV=bot/.venv $(UV) pip sync -q --require-hashes --compile-bytecode bot/requirements.txt
	@touch $@

lock: .venv/uv
	@$(UV) pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.txt
	@$(UV) pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev -c requirements.txt -o requirements-dev.txt
	@cd bot && ../$(UV) pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --override overrides.txt requirements.in -o requirements.txt

.PHONY: help serve test lint bench setup setup-dev lock
