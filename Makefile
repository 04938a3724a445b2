# Needs python3.13 and make. Everything else comes from PyPI at the versions in uv.lock.

UV_VERSION := 0.13.9
PYTHON ?= python3.13
UV := .tools/bin/uv
BIN := .venv/bin
FUZZ_SECONDS ?= 300
FUZZ_SEED ?=
FUZZ_ONLY ?=
CHROMIUM := .tools/chromium
CHECKED := layers cli functions local tests bench tools

# The interpreter checked below, never one that uv downloads.
export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0
# Set in a command, so that uv does not use the user's activated environment.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# Without HOME uv would put its cache into the current directory.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.tools/home
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test quick check templates lint-imports unit sam-build release deployed built handlers engine commands others pure behaviour prove thorough worked-through coverage fuzz schema bench pictures aws-smoke lint format lock layer-lock setup clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: setup ## attack and repair two embedded AWS accounts while you watch (KEEP=1 leaves them running)
	@$(BIN)/python -m local.demo

PARTS := deployed built handlers engine commands others

# In parallel: deploying mostly waits, and goes first whenever it need not; the rest computes meanwhile. Each part prints
# its output when it ends.
# Byte code comes first, so that a build that copies the sources does not catch a half-written file of another part.
test: setup ## what must pass before a change lands
	@$(BIN)/python -m compileall -q $(CHECKED)
	@$(MAKE) --no-print-directory --keep-going --jobs=8 --output-sync=target $(PARTS) templates check

unit: setup ## all tests but the thorough ones
	@$(BIN)/python -m compileall -q $(CHECKED)
	@$(MAKE) --no-print-directory --keep-going --jobs=6 --output-sync=target $(PARTS)

quick: .venv/.synced ## for while you work, 45 seconds: lint, types, import directions, tests without I/O
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target pure behaviour check

check: lint lint-imports ## lint, types, import directions

lint: .venv/.synced ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(LATER) $(BIN)/mypy $(wildcard $(CHECKED))

lint-imports: .venv/.synced
	$(BIN)/lint-imports

templates: .venv-sam/.synced ## the CloudFormation templates
	$(LATER) .venv-sam/bin/sam validate --lint
	$(LATER) .venv-sam/bin/cfn-lint stacks/*.yaml

PYTEST := $(BIN)/python -m pytest -p no:cacheprovider -m "not thorough"
LATER := nice -n 10
DEPLOYED := tests/e2e
BUILT := tests/artifact tests/local tests/cli/test_emulator.py
HANDLERS := tests/functions tests/contracts tests/prove
COMMANDS := tests/cli tests/usecases tests/template
ENGINE := tests/property tests/fuzz tests/mutants tests/unit/iam_access
# Slow ones: files at the size limit, AWS's managed policies, boto3 on moto; and long tables.
LARGE := tests/unit/access_spec/test_text.py tests/unit/aws
LONG := tests/unit/asking/test_what_if.py tests/unit/access/test_published_answers.py

# One `sam build`, and one release, for all that deploys them or looks into them.
deployed built thorough: export WARDEN_BUILT := $(CURDIR)/build/tested
deployed built thorough: export ECR_WARDEN_RELEASE := $(CURDIR)/build/release
deployed built thorough: sam-build release

sam-build: .venv-sam/.synced
	@$(BIN)/python -c 'from local.aws.deploy import ROOT, build; build(into=ROOT / "build" / "tested")'

release: .venv/.synced .venv-sam/.synced ## build/release, which `ecr-warden deploy` deploys, and the wheels in dist
	@.venv-sam/bin/python tools/release.py build/release
	@$(BIN)/python tools/wheels.py build/release dist

deployed:
	$(PYTEST) --durations=10 $(DEPLOYED)

built:
	$(PYTEST) --durations=10 $(BUILT)

handlers:
	$(LATER) $(PYTEST) --durations=10 $(HANDLERS)

engine:
	$(LATER) $(PYTEST) --durations=10 $(ENGINE)

commands:
	$(LATER) $(PYTEST) --durations=10 $(COMMANDS) $(addprefix --ignore=,$(BUILT))

others:
	$(LATER) $(PYTEST) --durations=10 $(addprefix --ignore=,$(DEPLOYED) $(BUILT) $(HANDLERS) $(ENGINE) $(COMMANDS))

pure:
	$(PYTEST) --durations=5 tests/unit $(addprefix --ignore=,$(LARGE) $(LONG))

behaviour:
	$(PYTEST) --durations=5 tests/usecases

prove: setup ## what make test leaves out, each part with its time: thorough tests, every planted bug, faults, orders, lives
	$(call timed,all of prove,$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target thorough worked-through)

# Runs a command and says how long it took; ends as it did.
timed = @began=$$(date +%s); $(2); ended=$$?; echo "$(1): $$(( ($$(date +%s) - began) / 60 )) min $$(( ($$(date +%s) - began) % 60 )) s"; exit $$ended

thorough:
	$(call timed,thorough tests and generated values,$(BIN)/python -m pytest -p no:cacheprovider -m "thorough or hypothesis" --hypothesis-profile=prove --durations=10)

worked-through:
	$(call timed,planted bugs,$(BIN)/python -m tests.mutants)
	$(call timed,faults orders and lives,$(BIN)/python -m tests.prove)

RULES := repair iam_access access_spec versions access audit

coverage: .venv/.synced ## the branches of the rules that tests without I/O take, one figure per package
	@$(BIN)/python -m coverage run -m pytest -p no:cacheprovider -m "not thorough" $(addprefix tests/unit/,$(RULES)) \
	  tests/usecases
	@$(BIN)/python -m coverage json --quiet -o build/coverage.json
	@$(BIN)/python tools/coverage_floors.py build/coverage.json

fuzz: .venv/.synced ## random input for the policy engine and the planner, for FUZZ_SECONDS=300
	@$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS) "$(FUZZ_SEED)" $(FUZZ_ONLY)

schema: .venv/.synced ## write what docs/schema has from tables of the code: JSON Schemas, fields, problems, calls
	$(BIN)/python tools/make_schema.py
	$(BIN)/python tools/make_pages.py

bench: setup ## measure API calls, layer size, memory and cold start (ONLY="cold-start memory" for some parts)
	@$(BIN)/python -m bench $(ONLY)

pictures: .venv/.synced $(CHROMIUM)/chromium ## take the pictures of the report in docs/ again
	@$(BIN)/python -m tools.pictures

# Never part of `make test`: it creates and removes resources in two real accounts (docs/deploy.md).
aws-smoke: release ## ARGS="...": try the loop and a deployment on two real accounts, and ask AWS what its documentation leaves open
	@$(BIN)/python -m local.smoke $(ARGS)

format: .venv/.synced ## apply ruff's fixes and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: | $(UV) ## lock the requirements again, those of the layer with their hashes
	$(UV) lock
	@$(MAKE) --no-print-directory layer-lock

# Beside requirements.txt, from which setuptools reads the dependencies: with hashes it could not. The command's has also
# what builds it, so that action.yml installs nothing without a hash.
EXPORT := $(UV) export --quiet --frozen --no-emit-workspace --no-header --no-annotate
layer-lock: | $(UV)
	$(EXPORT) --no-dev > cli/requirements.lock
	$(EXPORT) --only-group dev | sed -n '/^setuptools==/,/[^\]$$/p' >> cli/requirements.lock
	$(EXPORT) --no-dev \
	  $(foreach name,$(shell sed 's/[=>].*//' cli/requirements.txt),--prune $(name)) --output-file layers/warden/requirements.lock

clean: ## remove build output
	rm -rf build dist .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## remove the environments too
	rm -rf .venv .venv-sam .venv-emulator .venv-runtime .venv-browser .tools

# ---- five environments, because sam and ministack pin incompatible versions of botocore, and the browser needs npm.
# Each is updated when the lock or the dependency lists change.

LOCKED := uv.lock pyproject.toml layers/access/pyproject.toml layers/warden/requirements.txt cli/requirements.txt

setup: .venv/.synced .venv-sam/.synced .venv-emulator/.synced .venv-runtime/.synced $(CHROMIUM)/chromium ## the environments, and the browser

.venv/.synced: $(LOCKED) | $(UV)
	$(UV) sync --quiet --frozen
	@touch $@

# As Lambda's own packages are assumed to have byte code. Without it a cold start of any function compiles botocore.
.venv-runtime/.synced: export UV_COMPILE_BYTECODE := 1

# The browser in which the report is tested.
$(CHROMIUM)/chromium: tools/chromium.py | .venv-browser/.synced
	.venv-browser/bin/python tools/chromium.py $(CHROMIUM)
	@touch $@

.venv-%/.synced: $(LOCKED) | $(UV)
	UV_PROJECT_ENVIRONMENT=.venv-$* $(UV) sync --quiet --frozen --no-install-project --only-group $*
	@touch $@

$(UV):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "ecr-warden needs $(PYTHON), which is not on PATH (Debian: apt install python3.13 python3.13-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || { \
	  echo "ecr-warden needs Python 3.13 or later; $(PYTHON) does not start or is older." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv and ensurepip (Debian: apt install python3.13-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
