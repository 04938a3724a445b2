# Needs python3.13 and make. Everything else is fetched from PyPI, at the versions of uv.lock.

UV_VERSION := 0.13.9
PYTHON ?= python3.13
UV := .tools/bin/uv
BIN := .venv/bin
FUZZ_SECONDS ?= 300
FUZZ_SEED ?=
FUZZ_ONLY ?=
CHECKED := layers cli functions local tests bench tools

# The interpreter is the one that was checked below, never one that uv downloads.
export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0
# Set in a command, so that a user's activated environment is not taken for the project's.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# Without a home uv would put its cache into the current directory.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.tools/home
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test quick check templates lint-imports unit deployed engine others pure behaviour fuzz schema bench aws-smoke lint format setup clean distclean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: setup ## two embedded AWS accounts, attacked and repaired before your eyes (KEEP=1 leaves them running)
	@$(BIN)/python -m local.demo

# Side by side on two cores: what deploys mostly waits, the rest mostly computes. Each part's output comes when it ends.
# Byte code is made first: a build that copies the sources must not meet half of a file that another part compiles.
test: setup ## everything that must be green
	@$(BIN)/python -m compileall -q $(CHECKED)
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target deployed engine others templates check

unit: setup ## all tests
	@$(BIN)/python -m compileall -q $(CHECKED)
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target deployed engine others

quick: .venv/.synced ## under a minute, while you work: lint, types, import directions, and the tests without I/O
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target pure behaviour check

check: lint lint-imports ## lint, types, import directions

lint: .venv/.synced ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(wildcard $(CHECKED))

lint-imports: .venv/.synced
	$(BIN)/lint-imports

templates: .venv-sam/.synced ## the three CloudFormation templates
	.venv-sam/bin/sam validate --lint
	.venv-sam/bin/cfn-lint stacks/*.yaml

PYTEST := $(BIN)/python -m pytest -p no:cacheprovider
DEPLOYED := tests/artifact tests/e2e tests/local tests/cli/test_emulator.py
ENGINE := tests/property tests/fuzz tests/mutants tests/unit/policy
# What is large rather than many: files of the size limit, AWS's managed policies, processes, boto3 on moto.
LARGE := tests/unit/spec/test_text.py tests/unit/policy/test_compare_bounds.py tests/unit/adapters \
  tests/cli/test_process.py tests/cli/test_hub_client.py

deployed:
	$(PYTEST) --durations=10 $(DEPLOYED)

engine:
	$(PYTEST) --durations=10 $(ENGINE)

others:
	$(PYTEST) --durations=10 $(addprefix --ignore=,$(DEPLOYED) $(ENGINE))

pure:
	$(PYTEST) --durations=5 tests/unit $(addprefix --ignore=,$(LARGE))

behaviour:
	$(PYTEST) --durations=5 tests/usecases tests/cli $(addprefix --ignore=,$(LARGE) $(DEPLOYED))

fuzz: .venv/.synced ## FUZZ_SECONDS=300: random input for the policy engine and the planner, beyond what `make test` tries
	@$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS) "$(FUZZ_SEED)" $(FUZZ_ONLY)

schema: .venv/.synced ## docs/schema/access.schema.json from the field tables of the spec
	$(BIN)/python -c "from ecr_warden.spec.schema import schema_text; print(schema_text(), end='')" \
	  > docs/schema/access.schema.json

bench: setup ## counts and ratios: API calls, layer size, memory, cold start (ONLY="cold-start memory": some parts)
	@$(BIN)/python -m bench $(ONLY)

# Never part of `make test`: it makes and removes things in the two accounts that it is given (docs/deploy.md).
aws-smoke: .venv/.synced ## ARGS="...": the loop on two real accounts, and what AWS does where its pages are silent
	@$(BIN)/python -m local.smoke $(ARGS)

format: .venv/.synced ## rewrite what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove what was built
	rm -rf build dist .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## remove the environments too
	rm -rf .venv .venv-sam .venv-emulator .venv-runtime .tools

# ---- environments: four, because sam and ministack pin botocore versions that no resolver can join.
# Each is brought up to date when the lock or the dependency lists change.

LOCKED := uv.lock pyproject.toml layers/warden/requirements.txt

setup: .venv/.synced .venv-sam/.synced .venv-emulator/.synced .venv-runtime/.synced ## the four environments

.venv/.synced: $(LOCKED) | $(UV)
	$(UV) sync --quiet --frozen
	@touch $@

# Lambda's own packages are taken to come with byte code. Without it a cold start of any function compiles botocore.
.venv-runtime/.synced: export UV_COMPILE_BYTECODE := 1

.venv-%/.synced: $(LOCKED) | $(UV)
	UV_PROJECT_ENVIRONMENT=.venv-$* $(UV) sync --quiet --frozen --no-install-project --only-group $*
	@touch $@

$(UV):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "ecr-warden needs $(PYTHON), which is not on PATH (Debian: apt install python3.13 python3.13-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { \
	  echo "ecr-warden needs Python 3.13; $(PYTHON) does not start or is another version." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv and ensurepip (Debian: apt install python3.13-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
