# Everything a newcomer needs: `make demo` and `make test`. The first run of either sets up .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests that wait for sound at its pace leave the processors free for others.
JOBS   ?= 3
STAMP  := $(VENV)/.installed

.PHONY: demo test lint format types check bench clean install
install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing vivavoce into $(VENV) (first time: about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/vivavoce demo

test: install
	@$(BIN)/pytest -n $(JOBS) --dist loadgroup

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: install
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: install
	@$(BIN)/mypy

check: lint types test

bench: install
	@$(BIN)/vivavoce bench

clean:
	rm -rf $(VENV) build dist src/*.egg-info
