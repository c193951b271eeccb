# The verbs a person types. `make run PORT=8001` chooses another port.
.PHONY: run test loop check fmt screenshots stress lock
.DEFAULT_GOAL := run
BIN := .venv/bin
MANAGE := TESTING=1 VAR_DIR=$(CURDIR)/var/test $(BIN)/python manage.py
CHROMIUM := $(firstword $(shell command -v chromium chromium-browser google-chrome 2>/dev/null))
PYTEST := TESTING=1 $(BIN)/python -m pytest

run:
	@bin/install
	@DEMO=$${DEMO-1} exec $(BIN)/python manage.py run --with-parent

# Everything; pages in a browser where there is Chromium.
test:
	@bin/install dev
	@$(PYTEST) -n auto $(if $(CHROMIUM),,-m "not browser") $(ARGS)

# What one runs all day: without browser, crawler, fuzz and races.
loop:
	@bin/install dev
	@$(PYTEST) -n auto -m "not browser and not heavy" $(ARGS)

# The heavy proofs in full length.
stress:
	@bin/install dev
	@STRESS=1 $(PYTEST) -n auto -m heavy $(ARGS)

screenshots:
	@bin/install dev
	@SCREENSHOTS=1 $(PYTEST) -m browser $(ARGS)

check:
	@bin/install dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	TESTING=1 $(BIN)/mypy
	$(BIN)/lint-imports
	$(MANAGE) check_migrations
	DEBUG=0 DEMO=0 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		ALLOWED_HOSTS=clinic.example $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/djlint --profile django --lint templates
	$(MANAGE) translations --check

fmt:
	@bin/install dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Locks hold for every supported Python; no index and no machine is named in them.
lock:
	@bin/install dev
	$(BIN)/python -m pip install --quiet pip-tools
	for name in requirements requirements-dev requirements-node; do \
		CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o $$name.txt $$name.in || exit 1; \
	done
	npm install --package-lock-only
