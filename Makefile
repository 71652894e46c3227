PYTHON ?= python3
VENV := .venv

.PHONY: run test chaos bench check lock messages chromium hledger pgbouncer

run: $(VENV)/run  ## run everything in one terminal, at http://localhost:8000
	@exec $(VENV)/bin/python run.py

test: check chromium hledger pgbouncer  ## check style and types, and run every test
	$(VENV)/bin/python -m pytest --numprocesses=auto

chaos: $(VENV)/test  ## kill processes for twenty minutes, upgrade and restore under load, print a summary, then sync 2,000 random worlds, send 10,000 bad requests and guess 40,000 passwords
	CHAOS=long $(VENV)/bin/python -m pytest tests/chaos
	CHAOS=long $(VENV)/bin/python -m pytest tests/worlds
	CHAOS=long $(VENV)/bin/python -m pytest tests/fuzz tests/auth/test_guesses.py tests/jobs/test_a_day.py

bench: $(VENV)/bench  ## measure speed and memory, and write docs/benchmarks.md
	$(VENV)/bin/python -m benchmarks $(if $(QUICK),--quick) | tee $(VENV)/benchmarks.md
	@cp $(VENV)/benchmarks.md docs/benchmarks.md

check: $(VENV)/test  ## check style and types, and warn of packages with known vulnerabilities
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	@$(VENV)/bin/pip-audit --requirement=requirements.txt --require-hashes --disable-pip --timeout=5 \
		--progress-spinner=off 2>&1 | tail -n 20

LOCK := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version=3.11 --generate-hashes \
	--custom-compile-command="make lock"

lock: $(VENV)/test  ## pin every package, for every platform, with the hashes of its files
	$(LOCK) requirements.in --output-file=requirements.txt
	$(LOCK) requirements-dev.in --output-file=requirements-dev.txt
	$(LOCK) requirements-bench.in --output-file=requirements-bench.txt

messages: $(VENV)/run  ## collect every text for translators; not kept in the repository
	@mkdir -p plaidapp/translations
	$(VENV)/bin/pybabel extract --mapping=babel.cfg --keyword=lazy_gettext --keyword=gettext_noop \
		--project=plaidapp --output=plaidapp/translations/messages.pot .

# The shell has no windows to draw, so a test with a new browser takes a third of the time.
chromium:
	@command -v "$${CHROMIUM:-chromium-headless-shell}" >/dev/null \
	|| if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium-headless-shell; \
	else command -v chromium >/dev/null || { echo "The tests need Chromium. Install it (apt-get install chromium-headless-shell), or say where it is: make test CHROMIUM=/path/to/chromium"; exit 1; }; \
	fi

hledger:
	@command -v hledger >/dev/null \
	|| if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -qq --yes --no-install-recommends hledger; \
	else echo "hledger is not installed, so the tests cannot check the journal export (apt-get install hledger)."; [ "$$CI" != true ]; \
	fi

pgbouncer:
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null \
	|| if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -qq --yes --no-install-recommends pgbouncer; \
	else echo "PgBouncer is not installed, so the tests cannot check that the app works behind it (apt-get install pgbouncer)."; [ "$$CI" != true ]; \
	fi

# If .venv has no pip, `python -m venv` failed there for lack of ensurepip, so run it again.
$(VENV)/run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("This is Python %d.%d; plaidapp needs 3.11 or later. Name another: make run PYTHON=python3.13" % sys.version_info[:2])'
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test: requirements-dev.txt $(VENV)/run
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/bench: requirements-bench.txt $(VENV)/test
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
