# Two commands: `make run` opens the sandbox, `make test` proves the house.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test tests test-all chaos model simulate lint clean
.DEFAULT_GOAL := run

$(VENV)/python.ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Moongate needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python cannot make a virtual environment here. On Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/run.ok: $(VENV)/python.ok pyproject.toml constraints.txt
	@echo "Setting up (once, about a minute) ..."
	@$(PIP) --constraint constraints.txt --editable . || { \
	  echo "Installing failed; the lines above say why. A missing compiler? On Debian: apt-get install build-essential python3-dev"; exit 1; }
	@touch $@

$(VENV)/dev.ok: $(VENV)/run.ok
	@$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: $(VENV)/run.ok
	@$(BIN)/moongate sandbox

test: $(VENV)/dev.ok
	@$(MAKE) --no-print-directory -j 2 lint tests

tests: $(VENV)/dev.ok
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not deep"

# Everything, the long proofs too: every crash point with a real SIGKILL, scaffolds that run their own tests.
test-all: lint
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# Anything that can happen, in any order, EXAMPLES times to one host and as often to two.
model: $(VENV)/dev.ok
	@$(BIN)/pytest -n 2 --dist loadfile --examples $(or $(EXAMPLES),2000) tests/orders/test_model.py tests/orders/test_model_of_two_hosts.py

# 2,000 worlds in which a seed decides who goes first. SEEDS=200000 for a night; one again: ARGS="--seed 7".
simulate: $(VENV)/dev.ok
	@$(BIN)/python -m tests.proof.simulation --seeds $(or $(SEEDS),2000) $(ARGS)

# A purchase and a refund, killed by SIGKILL at every crash point, on both stores. One again: ARGS="refund.answered".
chaos: $(VENV)/dev.ok
	@$(BIN)/python -m tests.proof.chaos $(ARGS)

lint: $(VENV)/dev.ok
	@$(BIN)/ruff format --check --quiet . || { echo "Run: .venv/bin/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

clean:
	rm -rf $(VENV) .moongate
