# The verbs a person types. `make run PORT=8001` chooses another port.
.PHONY: run dev test loop stress bench screenshots check lint types contracts migrations deployment templates translations fmt lock
.DEFAULT_GOAL := run
BIN := .venv/bin
MANAGE := TESTING=1 VAR_DIR=$(CURDIR)/var/test $(BIN)/python manage.py
CHROMIUM := $(firstword $(shell command -v chromium chromium-browser google-chrome 2>/dev/null))
PYTEST := TESTING=1 $(BIN)/python -m pytest

run:
	@bin/install
	@DEMO=$${DEMO-1} exec $(BIN)/python manage.py run --with-parent

dev:
	@bin/install dev

# Everything; pages in a browser where there is Chromium.
test: dev
	@$(PYTEST) -n auto $(if $(CHROMIUM),,-m "not browser") $(ARGS)

# What one runs all day: without browser, crawler, fuzz and races.
loop: dev
	@$(PYTEST) -n auto -m "not browser and not heavy" $(ARGS)

# The heavy proofs in full length, the storm alone: it wants the machine for itself. STORM_ROUNDS=200 makes it long.
stress: dev
	@STRESS=1 $(PYTEST) -n auto -m "heavy and not storm" $(ARGS)
	@STRESS=1 $(PYTEST) -m storm $(ARGS)

# The measured work against its floor: docs/performance.md. ARGS="--size 1000 --seconds 1" for a glance.
bench: dev
	@$(BIN)/python -m bench $(ARGS)

screenshots: dev
	@SCREENSHOTS=1 $(PYTEST) -m browser $(ARGS)

check: lint types contracts migrations deployment templates translations

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	TESTING=1 $(BIN)/mypy

contracts: dev
	$(BIN)/lint-imports

migrations: dev
	$(MANAGE) check_migrations

deployment: dev
	DEBUG=0 DEMO=0 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		ALLOWED_HOSTS=clinic.example $(BIN)/python manage.py check --deploy --fail-level WARNING

templates: dev
	$(BIN)/djlint --profile django --lint templates

translations: dev
	$(MANAGE) translations --check

fmt: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Locks hold for every supported Python; no index and no machine is named in them.
lock: dev
	$(BIN)/python -m pip install --quiet pip-tools
	for name in requirements requirements-dev requirements-node; do \
		CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o $$name.txt $$name.in || exit 1; \
	done
	npm install --package-lock-only
