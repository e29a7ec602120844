# `make demo` and `make test` do all the set-up themselves: nothing but Python 3.11 to 3.13 is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
# Tests of one file share what they make, so a file is not divided between processes. Rewriting the
# assertions would take each process ten seconds; a failure shows the local variables instead.
IN_PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder --assert=plain --showlocals

# Each process uses one core: threads of linear algebra would only wait for one another.
test lowest coverage: export OPENBLAS_NUM_THREADS = 1

.PHONY: demo test lowest coverage docs lint types clean

demo: $(VENV)/installed
	$(BIN)/lggshape demo --out $(DEMO) --overwrite

test: lint types
	$(BIN)/python -m pytest $(IN_PARALLEL) --durations=20

# The lowest versions that pyproject.toml allows. Beside newer packages, old ones warn of what is to come.
lowest: $(VENV)/installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct --editable '.[dev]'
	$(VENV)-lowest/bin/python -m pytest $(IN_PARALLEL) --override-ini filterwarnings=default

coverage: $(VENV)/installed
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term

docs: $(VENV)/installed
	$(BIN)/python -m sphinx --quiet --fail-on-warning --builder html --conf-dir docs . docs/_build/html

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff

types: $(VENV)/installed
	$(BIN)/mypy

# uv takes a third of the time of pip, but knows none of its settings, such as a mirror.
$(VENV)/installed: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --editable '.[dev]' || \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-lowest $(DEMO) build dist *.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache
