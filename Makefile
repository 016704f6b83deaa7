# Everything a newcomer needs: `make demo` and `make test`. The first run of either sets up .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests that wait for sound at its pace leave the processors free for others.
JOBS   ?= 3
ROOMS  := config pipeline actors vivavoce profiles bench

# The strict editable install is a tree of links, one for each source file, so it is made again when
# the list of files (not their content) changes.
FILES  := $(shell find $(ROOMS) -type f ! -path '*/__pycache__/*' 2>/dev/null | LC_ALL=C sort)
STAMP  := .stamps/$(shell printf '%s\n' $(FILES) | cat - pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

.PHONY: demo test lint format types check bench clean install
install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing vivavoce into $(VENV) (first time: about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--config-settings editable_mode=strict -e '.[dev]'
	@rm -rf .stamps && mkdir -p .stamps && touch $@

demo: install
	@$(BIN)/vivavoce demo

test: install
	@$(BIN)/pytest -n $(JOBS) --dist loadgroup

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: install
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

# The packages are mapped onto folders, so mypy reads them where the editable install links them.
types: install
	@MYPYPATH="$$(echo build/__editable__.vivavoce-*)" $(BIN)/mypy

check: lint types test

bench: install
	@$(BIN)/vivavoce bench

clean:
	rm -rf $(VENV) .stamps build *.egg-info
