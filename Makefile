# The two commands of the README are `make run` and `make test`; `make help` lists the rest.

# The first Python that is new enough; another one: make run PYTHON=/opt/python3.13/bin/python3
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PROFILE := profiles/demo.yaml
SAMPLE := sample-takeout
BENCHMARKS ?= startup lookup memory heic first_run second_run google_drive google_photos verify state_rebuild crash
# The demo keeps its state in the checkout, so that it touches nothing else on this machine.
DEMO := SYNCENGINE_STATE_DIR=.state $(BIN)/syncengine
CODE := syncengine plugins benchmarks
# Fixtures are named like the arguments that take them, tests look at what is private, and compare with what they expect.
PYLINT_TESTS := --disable=redefined-outer-name,protected-access,unused-argument,too-many-public-methods \
    --disable=use-implicit-booleaness-not-comparison,unspecified-encoding

.PHONY: help run test quick lint bench dev clean
.DELETE_ON_ERROR:

help:
	@echo "make run     back up a small sample library to ./backup and print the report"
	@echo "make test    install what the tests need and run them   (PYTEST_ARGS='-k takeout' picks some)"
	@echo "make quick   the tests that take no time"
	@echo "make lint    black, ruff, pylint, bandit, mypy --strict, import-linter"
	@echo "make bench   the benchmarks, side by side with other tools   (BENCHMARKS='startup heic' picks some, BENCH_DIR=/mnt/x the disk)"
	@echo "make clean   remove the virtual environment, caches and the sample; ./backup and its state stay"

run: $(VENV)/.run | $(SAMPLE)
	@code=0; $(DEMO) run $(PROFILE) || code=$$?; case $$code in \
	    0) ;; \
	    1) echo; echo "One failure is as it should be: the sample library holds a HEIC that is damaged on purpose." ;; \
	    *) exit $$code ;; \
	esac
	@$(DEMO) report $(PROFILE) >/dev/null && echo "Look around in ./backup. To see this again: $(DEMO) report $(PROFILE)"

test: $(VENV)/.test
	$(BIN)/python -m pytest --timeout=300 $(PYTEST_ARGS)

quick: $(VENV)/.test
	$(BIN)/python -m pytest --timeout=300 -m "not slow" -n 2 -q $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/black --check --quiet $(CODE) tests
	$(BIN)/ruff check --quiet $(CODE) tests
	$(BIN)/pylint $(CODE)
	$(BIN)/pylint $(PYLINT_TESTS) tests
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml syncengine plugins
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

bench: $(VENV)/.test
	@for name in $(BENCHMARKS); do echo; echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit $$?; done

dev: $(VENV)/.dev

clean:
	rm -rf $(VENV) $(SAMPLE) .bench build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@echo "./backup and ./.state are left alone; remove them by hand when they hold nothing but the demo."

# Each stamp stands for an installation: for running, for testing, for developing. Code changes need no new one.
$(VENV)/.run: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing syncengine into $(VENV) (a minute or two the first time) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing syncengine and what its tests need into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing syncengine and the developer's tools into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run $(VENV)/.test

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "syncengine needs Python 3.11 or newer, and there is none: sudo apt install python3.11 python3.11-venv (or newer), or name one: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "syncengine needs Python 3.11 or newer, and $(PYTHON) is older or does not start: sudo apt install python3.11 python3.11-venv (or newer), then make run PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments: sudo apt install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

$(SAMPLE): | $(VENV)/.run
	@rm -rf $@.new
	@$(BIN)/python -m syncengine.testing.sample_library $@.new >/dev/null
	@mv $@.new $@
	@echo "Made a sample Takeout library in ./$@: two archives as Google writes them."
