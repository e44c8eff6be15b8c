# Everything a fresh clone can do, with Python 3.11 or newer and make. Stamps in .venv keep it from being done twice.

PYTHON ?= python3
BIN := .venv/bin
SECONDS ?= 600
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	--custom-compile-command "make lock" pyproject.toml

.PHONY: setup run test servers check bench bench-quick bench-soak bench-queries fuzz door faults storm overload poison screenshots mutants lock

setup: .venv/.setup  ## what `tally` needs, embedded servers included

run: .venv/.setup  ## the whole pipeline in this terminal; Ctrl-C ends it
	@exec $(BIN)/tally up

test: .venv/.test  ## on embedded servers, and on real ones where `make servers` has put them
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

servers:  ## Apache Kafka, MariaDB and Redis for the tests and the bench
	@requirements/servers

check: .venv/.check  ## style, types, and which way imports run
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.test servers  ## how fast this machine is, beside a naive baseline
	@exec $(BIN)/python -m tests.with_servers real \
		$(BIN)/tally bench --output .tally/bench.json --plot .tally/bench.svg $(ARGS)

bench-quick: .venv/.test servers  ## the same in a minute, for every change
	@exec $(BIN)/python -m tests.with_servers real $(BIN)/tally bench --quick --output .tally/bench-quick.json $(ARGS)

MINUTES ?= 30
bench-soak: .venv/.test servers  ## load for MINUTES: memory, lag and what a line costs, minute by minute
	@exec $(BIN)/python -m tests.with_servers real \
		$(BIN)/tally bench --soak $(MINUTES) --output .tally/bench-soak.json $(ARGS)

ROWS ?= 50000000
bench-queries: .venv/.test servers  ## how fast questions are answered at ROWS rows, and on SQLite at a tenth of them
	TALLY_BUFFER_POOL=1G $(BIN)/python -m tests.with_servers real \
		$(BIN)/tally bench-queries --rows 2000000 --rows $(ROWS) --output .tally/bench-queries-mariadb.json $(ARGS)
	$(BIN)/python -m tests.with_servers embedded \
		$(BIN)/tally bench-queries --rows $$(($(ROWS) / 10)) --output .tally/bench-queries-sqlite.json $(ARGS)

fuzz: .venv/.test  ## schemathesis against receiver and web API for SECONDS; SEED=n for the same again
	@$(BIN)/python -m tests.fuzz $(SECONDS) $(SEED)

REQUESTS ?= 200000
door: .venv/.test servers  ## REQUESTS hostile requests to the receiver, and the memory before and after
	@$(BIN)/python -m tests.door $(REQUESTS) $(SEED)

faults: .venv/.test servers  ## every fault done to every part, as a table; CELL="kill MySQL" for those with these words
	@$(BIN)/python -m tests.faults.matrix $(CELL)

storm: .venv/.test servers  ## random faults under load for SECONDS; SEED=n for the same again
	@$(BIN)/python -m tests.faults.storm $(SECONDS) $(SEED)

poison: .venv/.test servers  ## what one bad line of a hundred costs the others
	@$(BIN)/python -m tests.faults.poison

overload: .venv/.test servers  ## ten times what is drained for SECONDS, the memory meanwhile, and how long the rest takes
	@$(BIN)/python -m tests.faults.overload $(SECONDS)

screenshots: .venv/.test servers  ## both pages, empty, busy and broken, wide and narrow, light and dark
	@$(BIN)/python -m tests.browser.screenshots .tally/screenshots

mutants: .venv/.test servers  ## each rule of the protocol broken once, and the test that notices; WORDS=claim for some
	@$(BIN)/python -m tests.mutants $(WORDS)

lock: .venv/.setup  ## compile requirements/*.txt anew from pyproject.toml
	$(PIP) install uv
	$(COMPILE) --output-file requirements/base.txt $(UPGRADE)
	for extra in embedded test check; do \
		$(COMPILE) --extra $$extra --constraints requirements/base.txt \
			--output-file requirements/$$extra.txt $(UPGRADE) || exit; \
	done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.setup: requirements/embedded.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/embedded.txt
	$(PIP) install --no-deps --editable .
	@touch $@

.venv/.test: requirements/test.txt .venv/.setup
	$(PIP) install --require-hashes -r $<
	@touch $@

.venv/.check: requirements/check.txt .venv/.test
	$(PIP) install --require-hashes -r $<
	@touch $@
