# Everything a newcomer needs: `make demo` and `make test`. The first run of either sets up .venv.
#
# The tests come in tiers (which test is in which: tests/support/tiers.py):
#   make quick     the pure parts, on a virtual clock: half a minute, while you work
#   make test      all that is deterministic, and a try of each device, desktop and engine: minutes
#   make test-all  everything; devices, desktops and power take their time
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests that wait for sound at its pace leave the processors free for others.
JOBS   ?= 3
STAMP  := $(VENV)/.installed

# Hundreds of processes are started, which are not to compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
# Further options of pytest.
ARGS   ?=
PYTEST  = $(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: demo quick test test-rest test-all lint format types check bench clean install
install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing vivavoce into $(VENV) (first time: about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/vivavoce demo

quick: install
	@$(PYTEST) --tier quick

test: install
	@$(PYTEST) --tier test

# What `make test` leaves.
test-rest: install
	@$(PYTEST) --tier rest

test-all: install
	@$(PYTEST)

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: install
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: install
	@$(BIN)/mypy

# The floor is in pyproject.toml; `.venv/bin/coverage report` lists the files.
.PHONY: coverage
coverage: install
	@$(PYTEST) --tier test --cov --cov-report=

check: lint types coverage

bench: install
	@$(BIN)/vivavoce bench

clean:
	rm -rf $(VENV) build dist src/*.egg-info
