# One command for each thing people do here. Bare `make` prints them.
#
# Words that a user types (paths with spaces, apostrophes, `$`) reach the program through the environment: no recipe
# pastes one into a shell line. Works with GNU make 3.81, which macOS still has.

.DEFAULT_GOAL := help
.NOTPARALLEL: # two targets may both set up .venv
.PHONY: help grade fixtures assignment test test-all check format lock clean ta-env dev-env

# `value` keeps a `$` that make would otherwise expand.
override SUBMISSIONS := $(value SUBMISSIONS)
override OUT := $(value OUT)
override ONLY := $(value ONLY)
override JOBS := $(value JOBS)
override SEED := $(value SEED)
override PYTHON := $(value PYTHON)
PY = .venv/bin/python
export SUBMISSIONS OUT ONLY JOBS SEED PYTHON PY

help: ## Show this help
	@echo 'usage: make <target> [NAME=value …]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Examples'
	@echo '  make grade                                        grade the sample class'
	@echo '  make grade SUBMISSIONS="Lab 3/hand-ins" OUT=lab3  grade a folder of submissions, results in lab3/'
	@echo '  make grade SUBMISSIONS=alice.zip ONLY=test_im2col grade one submission on one test'
	@echo '  make test PYTHON=python3.12                       make .venv anew with this Python, then test'
	@echo '  make check PY=/opt/venv/bin/python                use this environment as it is, make none'

grade: ta-env ## Grade a file or a folder of submissions (SUBMISSIONS= OUT= ONLY= JOBS=)
	@"$$PY" -m autograder grade $${OUT:+--out="$$OUT"} $${ONLY:+--only="$$ONLY"} $${JOBS:+--jobs="$$JOBS"} $${SUBMISSIONS:+"$$SUBMISSIONS"}

fixtures: ta-env ## Draw the hidden inputs anew and compute what is expected (SEED= for a new term)
	@"$$PY" -m autograder fixtures $${SEED:+--seed="$$SEED"}

assignment: ta-env ## Build what students download from solutions/ and tests/public/
	@"$$PY" -m autograder assignment

test: dev-env ## Test the grader
	"$$PY" -m pytest

test-all: dev-env ## Test the grader, heavy tests included
	"$$PY" -m pytest -m 'heavy or not heavy'

check: dev-env ## Lint, formatting and types
	"$$PY" -m ruff check
	"$$PY" -m ruff format --check
	"$$PY" -m mypy

format: dev-env ## Format the code and repair what ruff can repair
	"$$PY" -m ruff check --fix
	"$$PY" -m ruff format

# dev.txt holds every pin, the smaller locks obey it.
COMPILE = "$$PY" -m uv pip compile pyproject.toml --quiet --universal --python-version 3.10 --no-python-downloads \
	--fork-strategy fewest --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' $(LOCK_FLAGS)
lock: dev-env ## Bring requirements/*.txt in line with pyproject.toml (LOCK_FLAGS=--upgrade for newer versions)
	$(COMPILE) --extra ta --extra dev --output-file requirements/dev.txt
	$(COMPILE) --extra ta --constraints requirements/dev.txt --output-file requirements/ta.txt
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/grading.txt

clean: ## Remove .venv and caches; grades stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -path ./tests/grader/submissions -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

ifeq ($(origin PY),command line)
ta-env dev-env: ;
else
ta-env dev-env:
	@sh requirements/install.sh $(@:-env=)
endif
