# Everything is installed into .venv of this checkout; outside of it only package caches are written.
.POSIX:
.SUFFIXES:
.PHONY: help demo check test lint tables screenshots bench soak backends clean distclean

BIN = .venv/bin
# Tests that start no server and bake few projects.
QUICK = tests/generation/test_import_rules.py tests/generation/test_manifest.py tests/generation/test_refusals.py

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 13

demo: .venv/bake.stamp ## Bake a project, call one of its tools, show what was recorded.
	@$(BIN)/python -m scripts.demo

check: lint ## Run lint and the tests that need no server.
	$(BIN)/pytest --quiet --numprocesses 2 --basetemp .cache/check $(QUICK)

test: .venv/dev.stamp ## Run all tests, also against real backends; tens of minutes on two cores.
	@status=0; set -x; \
	$(BIN)/pytest --numprocesses 2 -m 'not alone' --basetemp .cache/tmp || status=1; \
	$(BIN)/pytest -m alone --basetemp .cache/tmp || status=1; \
	exit $$status

lint: .venv/dev.stamp ## Check style and types of the template and of a project with everything on.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m scripts.lint_project

tables: .venv/dev.stamp ## Rewrite the documentation's tables from cookiecutter.json and the code.
	$(BIN)/python -m scripts.tables

screenshots: .venv/dev.stamp ## Take the documentation's screenshots of the page again.
	$(BIN)/python -m scripts.screenshots

bench: .venv/dev.stamp ## Measure the server and its destinations; takes minutes and a quiet machine.
	$(BIN)/python -m benchmarks

soak: .venv/dev.stamp ## Log for ten minutes to a backend that comes and goes.
	$(BIN)/python -m tests.faults.soak

backends: .venv/dev.stamp ## Start the backends of the tests until Ctrl-C.
	$(BIN)/python -m tests.backends

clean: ## Remove what was made, but not what was downloaded into .cache.
	rm -rf .venv .demo .hypothesis .pytest_cache .cache/check .cache/lint .cache/mypy .cache/ruff .cache/tmp .cache/benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## Remove what was downloaded, too.
	rm -rf .cache

.venv/bake.stamp: .venv/uv.stamp pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group bake
	touch $@

.venv/dev.stamp: .venv/uv.stamp pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group dev
	touch $@

.venv/uv.stamp: Makefile
	@for python in python3 python3.13 python3.12 python3.11 none; do \
	    "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then \
	    echo "No Python 3.11 or newer with its venv module is on the PATH (python3, python3.13, 3.12, 3.11)." >&2; \
	    exit 1; \
	fi; \
	set -x; "$$python" -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	touch $@
