# One verb per job, the same on a laptop and in CI. Needs make (3.81 will do) and Python 3.11 or newer, nothing else.

VENV ?= .venv
ARGS ?=
PY := $(VENV)/bin/python
DEMO := $(VENV)/.figwatch-demo
DEV := $(VENV)/.figwatch-dev

.DEFAULT_GOAL := help
.PHONY: help demo install test test-slow test-pythons test-lowest wheel check format bench simulate mutate docs generate constraints parts clean

help:
	@echo "make demo         run the reference migration in a box (ARGS=\"--fault outage\" changes the story)"
	@echo "make test         the suite, under ten minutes; what cannot run on this machine is listed at the end"
	@echo "make test-slow    the long fault hunts"
	@echo "make test-pythons the wheel's tests on each other Python of this machine"
	@echo "make test-lowest  the same with the lowest versions that pyproject.toml allows"
	@echo "make wheel        build the wheel that the two above install, in .artefacts/dist"
	@echo "make check        format, lint, types, floors, generated files, version"
	@echo "make format       put the code into the agreed form"
	@echo "make bench        what figwatch costs, as ratios with their limits"
	@echo "make simulate     play what the claims about alarms and windows rest on, and publish the tables in docs/"
	@echo "make mutate       change evaluate/ and decide/ one operator at a time: which tests notice (hours; ARGS=PATTERN)"
	@echo "make docs         the documentation as a site in .artefacts/site; a broken link stops it"
	@echo "make generate     write the generated files anew"
	@echo "make constraints  resolve the versions of all dependencies anew"
	@echo "make clean        remove what these verbs created"

demo: $(DEMO)
	@$(VENV)/bin/figwatch demo $(ARGS)

install: $(DEV)

test: $(DEV) parts
	@$(PY) tools/suite.py fast $(ARGS)

test-slow: $(DEV) parts
	@$(PY) tools/suite.py slow $(ARGS)

test-pythons: wheel
	@$(PY) tools/pythons.py .artefacts/dist/*.whl $(ARGS)

test-lowest: wheel
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra test --resolution lowest-direct \
		--no-emit-index-url --no-emit-find-links --output-file .artefacts/lowest.txt pyproject.toml
	@$(PY) tools/pythons.py .artefacts/dist/*.whl --constraints=.artefacts/lowest.txt $(ARGS)

wheel: $(DEV)
	@rm -rf .artefacts/dist
	@$(PY) -m build --wheel --outdir .artefacts/dist . >/dev/null

check: $(DEV)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) tools/generate.py --check
	$(PY) tools/release.py

format: $(DEV)
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

bench: $(DEV) parts
	@PYTHONPATH=tests $(PY) -m bench $(ARGS)

simulate: $(DEV)
	@PYTHONPATH=tests $(PY) -m simulate $(ARGS)

mutate: $(DEV)
	@$(PY) tools/mutate.py $(ARGS)

docs: $(DEV)
	$(PY) tools/site.py .artefacts/site

generate: $(DEV)
	$(PY) tools/generate.py

# No header, no annotations and no index addresses: the file names versions and nothing about who resolved them.
constraints: $(DEV)
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

parts: $(DEV)
	@$(PY) tools/parts.py

clean:
	rm -rf $(VENV) .parts .artefacts dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps are the targets: a folder that a failed run left half made never looks finished.
$(DEMO): pyproject.toml constraints.txt tools/venv.sh
	@sh tools/venv.sh $(VENV) demo

$(DEV): pyproject.toml constraints.txt tools/venv.sh
	@sh tools/venv.sh $(VENV) dev
