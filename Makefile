# One command for each thing people do here. Bare `make` prints them.
#
# Words that a user types (paths with spaces, apostrophes, `$`) reach the program through the environment: no recipe
# pastes one into a shell line. Works with GNU make 3.81, which macOS still has.

.DEFAULT_GOAL := help
.NOTPARALLEL: # two targets may both set up .venv
.PHONY: help grade fixtures assignment handout bundle rehearse doctor verify mutation test test-all fuzz numpys bench bench-flips bench-class pictures check format lock clean ta-env dask-env dev-env instructor-env

# The name of a variable, if it is on make's command line: other programs have a CONFIG in their environment, too.
TOLD = $(if $(findstring command,$(origin $(1))),$(1))
NAMED := $(call TOLD,CONFIG) SUBMISSIONS OUT ONLY JOBS ROSTER OVERRIDES COMPARE AS SCHEDULER SEED SEEDS IMAGE TIMES NUMPYS
SWITCHES = FORCE ANONYMOUS

# What was said, and is empty: `SUBMISSIONS=$DIR` without a DIR must not grade something else. In a make that another
# make has started, the environment says nothing: it holds what that one exports.
INNER := $(filter-out 0,$(MAKELEVEL))
MEANT = $(filter-out undefined default $(if $(INNER),environment),$(firstword $(origin $(1))))
EMPTY := $(strip $(foreach name,$(NAMED),$(if $(call MEANT,$(name)),$(if $(value $(name)),,$(name)))))

# Switches are on or off: FORCE=0 is off.
ON = 1 yes Yes true True on
OFF = 0 no No false False off
UNDECIDED := $(strip $(foreach name,$(SWITCHES),$(if $(filter-out $(ON) $(OFF),$(value $(name))),$(name))))

# `value` keeps a `$` that make would otherwise expand.
override CONFIG := $(if $(call TOLD,CONFIG),$(value CONFIG))
override SUBMISSIONS := $(value SUBMISSIONS)
override OUT := $(value OUT)
override ONLY := $(value ONLY)
override JOBS := $(value JOBS)
override FORCE := $(filter-out $(OFF),$(value FORCE))
override ROSTER := $(value ROSTER)
override OVERRIDES := $(value OVERRIDES)
override COMPARE := $(value COMPARE)
override ANONYMOUS := $(filter-out $(OFF),$(value ANONYMOUS))
# `as` is make's own word for the assembler, and some compilers' environments set it, too.
override AS := $(if $(findstring command,$(origin AS)),$(value AS),$(filter class one,$(value AS)))
override SCHEDULER := $(value SCHEDULER)
override SEED := $(value SEED)
override SEEDS := $(value SEEDS)
override IMAGE := $(value IMAGE)
override TIMES := $(value TIMES)
override NUMPYS := $(value NUMPYS)
override PYTHON := $(value PYTHON)
PY = .venv/bin/python
AUTOGRADER = "$$PY" -m autograder $${CONFIG:+--config="$$CONFIG"}

# What make was told on its command line and is not above: most likely a slip. An inner make is also told what the
# outer one was told, such as DESTDIR.
OURS = $(foreach name,$(filter-out %MAKEFLAGS,$(.VARIABLES)),$(if $(filter override,$(origin $(name))),$(name))) PY FUZZ_SECONDS LOCK_FLAGS
UNKNOWN := $(if $(INNER),,$(strip $(foreach name,$(filter-out $(OURS) SHELL MAKEFLAGS -*,$(.VARIABLES)),\
	$(if $(filter command,$(firstword $(origin $(name)))),$(name)))))

# Only what has a value, so that no program that we start takes an empty one for something that was said.
SAID := $(foreach name,$(NAMED) $(SWITCHES) PYTHON,$(if $(value $(name)),$(name)))
export $(SAID) PY

help: ## Show this help
	@echo 'usage: make <target> [NAME=value …]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Examples'
	@echo '  make grade                                        grade the sample class'
	@echo '  make grade SUBMISSIONS="Lab 3/hand-ins" OUT=lab3  grade a folder of submissions, results in lab3/'
	@echo '  make grade SUBMISSIONS=alice.zip ONLY=test_im2col grade one submission on one test'
	@echo '  make verify CONFIG=examples/softmax/config.yaml   prove the tests of another homework'
	@echo '  make test PYTHON=python3.12                       make .venv anew with this Python, then test'
	@echo '  make check PY=/opt/venv/bin/python                use this environment as it is, make none'

grade: $(if $(SCHEDULER),dask-env,ta-env) ## Grade a class or one submission (SUBMISSIONS= OUT= ONLY= JOBS= and what README names)
	@$(AUTOGRADER) grade $${OUT:+--out="$$OUT"} $${ONLY:+--only="$$ONLY"} $${JOBS:+--jobs="$$JOBS"} \
		$${FORCE:+--force} $${ROSTER:+--roster="$$ROSTER"} $${OVERRIDES:+--overrides="$$OVERRIDES"} \
		$${COMPARE:+--compare="$$COMPARE"} $${ANONYMOUS:+--anonymous} $${AS:+--as="$$AS"} $${SCHEDULER:+--scheduler="$$SCHEDULER"} \
		$${SUBMISSIONS:+-- "$$SUBMISSIONS"}

fixtures: ta-env ## Draw the hidden inputs anew and compute what is expected (SEED= for a new term)
	@$(AUTOGRADER) fixtures $${SEED:+--seed="$$SEED"}

# Half a gigabyte of otter is installed only when the notebook is to be made anew: a change of points does not need it.
assignment: ta-env ## Build what students download from solutions/ and tests/public/
	@$(AUTOGRADER) assignment --without-otter || \
		{ [ $$? -eq 3 ] && $(MAKE) -s instructor-env && $(AUTOGRADER) assignment; }

handout: ta-env ## Pack what students download into dist/handout.zip
	@$(AUTOGRADER) handout

bundle: ta-env ## Pack what is uploaded to Gradescope into dist/autograder.zip
	@$(AUTOGRADER) bundle

rehearse: dev-env ## Try that zip in a container like Gradescope's, as root (IMAGE= with Docker)
	@"$$PY" -m tests.grader.stage $${IMAGE:+--image="$$IMAGE"}

doctor: ta-env ## Say which isolation of student code holds on this machine
	@$(AUTOGRADER) doctor

verify: ta-env ## Prove the tests with submissions whose grade is known (SEEDS="1 2 3" for other inputs, OUT= JOBS=)
	@$(AUTOGRADER) verify $${OUT:+--out="$$OUT"} $${JOBS:+--jobs="$$JOBS"} $${SEEDS:+--seeds="$$SEEDS"}

mutation: dev-env ## Change the model answer in every small way, and see whether the tests notice (JOBS=)
	@"$$PY" -m uv run --quiet --no-project --python "$$PY" --with-requirements requirements/mutation.txt \
		python -m tests.grader.mutation $${CONFIG:+--config="$$CONFIG"} $${JOBS:+--jobs="$$JOBS"}

test: dev-env ## Test the grader
	"$$PY" -m pytest -n auto --maxprocesses 4 --dist loadfile

test-all: instructor-env ## Test the grader, heavy tests included
	"$$PY" -m pytest -n auto --maxprocesses 4 --dist loadfile -m 'heavy or not heavy'

fuzz: dev-env ## Throw random bytes at everything that reads a stranger's (FUZZ_SECONDS=600 for each)
	FUZZ_SECONDS="$${FUZZ_SECONDS:-600}" "$$PY" -m pytest tests/grader/fuzz/test_fuzz_archive.py tests/grader/fuzz/test_fuzz_wire.py

numpys: dev-env ## Grade with one NumPy after the other, and print what differs (NUMPYS="2.2.6 2.5.5" OUT= JOBS=)
	@"$$PY" -m tests.grader.numpys $${NUMPYS:+--versions="$$NUMPYS"} $${OUT:+--out="$$OUT"} $${JOBS:+--jobs="$$JOBS"}

bench: dev-env ## Measure what grading costs, the bounds of the speed tests, and NumPy beside PyTorch (PY= with torch)
	PYTHONPATH=. "$$PY" tests/bench/bench.py
	PYTHONPATH=. "$$PY" tests/bench/peers.py

bench-flips: dev-env ## Grade the same class many times, quiet and under load: how often does a grade change? (TIMES=)
	PYTHONPATH=. "$$PY" tests/bench/flips.py $${TIMES:+--times="$$TIMES"} $${JOBS:+--jobs="$$JOBS"}

bench-class: dask-env ## Grade a made-up class of a thousand: how many a minute, killed and resumed, on Dask
	PYTHONPATH=. "$$PY" tests/bench/large_class.py

pictures: dev-env ## Take the pictures of the README anew (needs Chromium)
	"$$PY" docs/pictures.py

check: dev-env ## Lint, formatting, imports between packages and types
	"$$PY" -m ruff check
	"$$PY" -m ruff format --check
	PYTHONPATH=. "$$PY" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache
	"$$PY" -m mypy

format: dev-env ## Format the code and repair what ruff can repair
	"$$PY" -m ruff check --fix
	"$$PY" -m ruff format

# dev.txt holds every pin that others share, the other locks obey it.
COMPILE = "$$PY" -m uv pip compile pyproject.toml --quiet --universal --python-version 3.10 --no-python-downloads \
	--fork-strategy fewest --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' $(LOCK_FLAGS)
lock: dev-env ## Bring requirements/*.txt in line with pyproject.toml (LOCK_FLAGS=--upgrade for newer versions)
	$(COMPILE) --extra ta --extra dev --output-file requirements/dev.txt
	$(COMPILE) --extra ta --extra dask --constraints requirements/dev.txt --output-file requirements/dask.txt
	$(COMPILE) --extra ta --extra dev --extra dask --extra instructor --constraints requirements/dev.txt \
		--constraints requirements/dask.txt --output-file requirements/instructor.txt
	$(COMPILE) --extra ta --constraints requirements/dev.txt --output-file requirements/ta.txt
	$(COMPILE) --extra ta --extra mutation --constraints requirements/dev.txt --output-file requirements/mutation.txt
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/grading.txt

clean: ## Remove .venv and caches; grades stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -path ./tests/grader/submissions -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

ifneq ($(UNKNOWN)$(EMPTY)$(UNDECIDED),)
ta-env dask-env dev-env instructor-env: refuse-variables
refuse-variables: export REFUSED = $(UNKNOWN)
refuse-variables: export EMPTIED = $(EMPTY)
refuse-variables: export UNCLEAR = $(UNDECIDED)
refuse-variables: export KNOWN = $(OURS)
refuse-variables:
	@sh requirements/variables.sh
endif

ifeq ($(origin PY),command line)
ta-env dask-env dev-env instructor-env: ;
else
ta-env dask-env dev-env instructor-env:
	@sh requirements/install.sh $(@:-env=)
endif
