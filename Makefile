# mailrace: `make race` runs the main job, `make test` the tests. Both build .venv when it is missing or stale.

TARGET   ?=
SCENARIO ?=
ROUNDS   ?=
VERSIONS ?= 1.27.11 1.30.5 1.33.1
PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed

# A run of the tests starts some hundred processes that import mailrace: each module is compiled once, not in each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: race steer test check lint docs bench matrix clean help
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "mailrace needs Python 3.11 or newer as '$(PYTHON)'; name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "mailrace needs Python's venv and ensurepip; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "building $(VENV) (once, and when pyproject.toml changes)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Without any of the three the question is settled by as many rounds as it takes: how often the control hits in 100
# depends on the machine.
race: $(STAMP)  ## race scenarios: make race [TARGET=mailpit@1.30.5] [SCENARIO=name] [ROUNDS=n]
	@$(BIN)/mailrace run $(if $(SCENARIO),scenarios -k '$(SCENARIO)',scenarios/shared-new-tag.race.yaml) \
	  $(if $(TARGET),--target '$(TARGET)') $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(SCENARIO)$(TARGET)$(ROUNDS),,--until decided --rounds 1000)

steer: $(STAMP)  ## walk every schedule: make steer [TARGET=mailpit@1.30.5] [SCENARIO=name]
	@$(BIN)/mailrace steer $(if $(SCENARIO),scenarios -k '$(SCENARIO)',scenarios/shared-new-tag.race.yaml) \
	  $(if $(TARGET),--target '$(TARGET)')

# Half of a test's time is spent waiting for servers, so three workers a processor of a small machine keep it busy.
test: $(STAMP)  ## all tests; real versions of Mailpit are built by Go when they are missing
	@$(BIN)/python -m pytest -q -n 6

check: lint  ## lint, and the fast tests
	@$(BIN)/python -m pytest -q -n 3 -m 'not mailpit and not slow and not browser'

lint: $(STAMP)  ## ruff, format, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)  ## what is measured, as ratios to peers in the same run; minutes
	@$(BIN)/python -m bench

docs: $(STAMP)  ## the site, from docs/ into site/; a dead link or a warning fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	@echo "site/index.html" >&2

# An ended survey goes on where it was. Status 1 (a race was shown) and 3 (a pair is open) are surveys, too.
matrix: $(STAMP)  ## survey real versions into docs/surveys/: make matrix [VERSIONS="1.30.5 1.33.1"]
	@for version in $(VERSIONS); do \
	  $(BIN)/mailrace survey --target mailpit@$$version --state reports/surveys/$$version \
	    || case $$? in 1|3) ;; *) exit 1 ;; esac; \
	  $(BIN)/python docs/hooks/keep_survey.py reports/surveys/$$version/survey.json || exit 1; \
	done

clean:  ## remove what was built here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache site
