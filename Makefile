# make run    serve the site on http://127.0.0.1:8000 (settings: docs/settings.md)
# make test   install what the tests need, then check and test everything
# make help   all targets

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
FLASK = $(BIN)/flask --app app
CATALOGUES = $(patsubst %.po,%.mo,$(wildcard translations/*/LC_MESSAGES/messages.po))

.PHONY: help run test lint check pins messages catalogues pictures clean
.DELETE_ON_ERROR:

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .make/runtime $(CATALOGUES) ## Serve the site; the first start makes everything it needs
	@exec $(FLASK) serve

test: .make/dev $(CATALOGUES) ## Lint, type-check and run every test
	@tests/install-browser
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2

lint: .make/dev ## Style, types, who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/lint-imports

pins: .make/dev ## Compile requirements*.txt from requirements*.in
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --no-header --no-annotate requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

messages: .make/runtime ## Collect messages from code and templates into every catalogue
	$(BIN)/pybabel -q extract -F babel.cfg -k _l -k N_ --no-location --sort-output --omit-header -o .make/messages.pot .
	@for folder in $(filter-out translations/en/,$(wildcard translations/*/)); do \
		test -f $$folder/LC_MESSAGES/messages.po || $(BIN)/pybabel -q init -i .make/messages.pot -d translations -l $$(basename $$folder); \
	done
	$(BIN)/pybabel -q update -i .make/messages.pot -d translations --no-fuzzy-matching --ignore-obsolete --omit-header --width 100
	$(MAKE) --no-print-directory catalogues

catalogues: $(CATALOGUES)

%.mo: %.po .make/runtime
	@$(BIN)/pybabel -q compile --use-fuzzy -i $< -o $@ -l $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

.make/runtime: requirements.txt
	@mkdir -p .make
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python 3.11 with its venv module is needed (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=… and remove .venv." >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.make/dev: requirements-dev.txt .make/runtime
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

pictures: .make/dev $(CATALOGUES) ## Take the docs' picture of every page
	@tests/install-browser
	$(BIN)/python -m tests.browser.pictures

clean: ## Remove what make made; the data folder stays
	rm -rf .venv .make translations/*/LC_MESSAGES/*.mo
