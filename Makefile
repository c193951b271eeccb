# The verbs a person types. PORT=8001 make run chooses another port.
.PHONY: run test loop check fmt lock
PYTHON := .venv/bin/python

run:
	@bin/install
	@DEMO=$${DEMO-1} exec $(PYTHON) manage.py run --with-parent
