PYTHON ?= python3
VENV := .venv

.PHONY: run test check chaos

run: $(VENV)/run  ## everything in one terminal, at http://localhost:8000
	@exec $(VENV)/bin/python run.py

test: check  ## style, types, and every test
	$(VENV)/bin/python -m pytest

chaos: $(VENV)/test  ## kills everything for twenty minutes and prints what it came to
	CHAOS=long $(VENV)/bin/python -m pytest tests/chaos

check: $(VENV)/test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/run: requirements.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test: requirements-dev.txt requirements.txt $(VENV)/run
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
