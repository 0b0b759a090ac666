# `make` lists the targets. Python 3.11 or newer and make are all that a fresh machine needs.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup run test unit lint fmt types check bench chaos docs eval train lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## create .venv and install everything at its pinned version and hash
	@$(BIN)/python -m pipeline.cli.prepare

# The test of a download is its hash: pip refuses whatever is not in constraints.txt. The list is complete, so pip has nothing to
# resolve (--no-deps); where it does, a new release of a package that another wants with an extra can make it refuse everything.
$(STAMP): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; name it: make setup PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: setup ## the whole service on this machine, until Ctrl-C
	@$(BIN)/dateline run

test: setup ## every test, on a real Kafka and a real Elasticsearch
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

unit: $(STAMP) ## the fast tests alone
	@$(BIN)/python -m pytest tests/unit

lint: $(STAMP) ## ruff: style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

fmt: $(STAMP) ## ruff: mend style and format
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(STAMP) ## mypy, strict
	@$(BIN)/mypy

check: lint types test ## all that a change has to pass

bench: setup ## speed, latency and memory of the whole path, beside spaCy alone
	@$(BIN)/dateline bench

chaos: setup ## faults under load on a real Kafka and Elasticsearch, and what they did: a table (an hour and a half; TIMES=1 is a fifth)
	@$(BIN)/python -m bench.chaos --times $(or $(TIMES),5)

docs: $(STAMP) ## the documents as a site, in build/site; a broken link is an error
	@$(BIN)/zensical build --strict

eval: $(STAMP) ## measure on the labelled sets of ../shared; a row for docs/quality.md
	@$(BIN)/python train/evaluate.py

train: $(STAMP) ## train the reader again (half an hour on two cores) and measure it on the test documents
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train]'
	@$(BIN)/dateline train --out pipeline/detect/model
	@$(BIN)/python -m train.reader.evaluate

# The tools that look at the packages have an environment of their own: they are no part of Dateline, nor of its tests.
SUPPLY := .venv-supply
$(SUPPLY)/.installed: deploy/supply.txt
	@test -x $(SUPPLY)/bin/python || $(PYTHON) -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r deploy/supply.txt
	@touch $@

sbom: $(SUPPLY)/.installed ## the packages of the image, as CycloneDX: build/sbom.cdx.json
	@mkdir -p build
	@$(SUPPLY)/bin/python -W ignore -m cyclonedx_py requirements deploy/requirements.txt --pyproject pyproject.toml \
		--output-reproducible --of JSON -o build/sbom.cdx.json

licences: $(STAMP) ## the licence of each package of the image; fails at one that is not open
	@$(BIN)/python deploy/licences.py

audit: $(SUPPLY)/.installed ## known vulnerabilities of the packages of the image (needs the internet)
	@deploy/audit $(SUPPLY)/bin/pip-audit

# Labels, records, pages and pins hold hashes and addresses by the thousand, and no secrets of ours; tests hold made-up
# passwords and addresses with log-ins, which the two detectors left out would report.
NO_SECRETS := ^(tests/(golden|cases)/|tests/upgrade/.*[.]jsonl$$|train/(labels|readings|sentences)|pipeline/console/static/vendor/|pipeline/detect/model/)
NO_SECRETS := $(NO_SECRETS)|^(constraints|deploy/requirements|deploy/supply)\.txt$$|lock\.toml$$|\.(png|ndjson|tsv|html|svg)$$
secrets: $(SUPPLY)/.installed ## keys and passwords in the files of the repository; fails if there are any
	@git ls-files -z | grep -zvE '$(NO_SECRETS)' | xargs -0 $(SUPPLY)/bin/detect-secrets-hook \
		--disable-plugin KeywordDetector --disable-plugin BasicAuthDetector

lock: ## for maintainers: resolve the pins anew
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --extra local --extra dev pyproject.toml -o constraints.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" -c constraints.txt pyproject.toml -o deploy/requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" deploy/supply.in -o deploy/supply.txt

clean: ## remove the environment and this machine's data
	rm -rf $(VENV) $(SUPPLY) .dateline .cache build dist *.egg-info
