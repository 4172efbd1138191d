# Every target sets up what it needs: the virtual environment is made once, and again when
# pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SCHEMA := schemas/tdspec.schema.json

.PHONY: help setup demo demo-diffusion test slow lint format schema rules clean

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: $(READY)  ## Make the virtual environment with everything in it.

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m compileall -q tdspec
	touch $@

demo: $(READY)  ## Train a neural ODE on handwritten digits, with two seeds.
	$(BIN)/tdspec train specs/node/node-digits.yaml --seeds 2

DIGITS := runs/demo-diffusion
demo-diffusion: $(READY)  ## Train a DDPM on handwritten digits, draw new ones, and measure them.
	rm -rf $(DIGITS)
	$(BIN)/tdspec train specs/diffusion/ddpm-digits.yaml --out $(DIGITS)
	$(BIN)/tdspec sample $(DIGITS)/ddpm-digits/0001-* -n 100 --steps 100 --out $(DIGITS)/digits.png
	$(BIN)/tdspec eval $(DIGITS)/ddpm-digits/0001-* -n 500 --steps 100 --cache $(DIGITS)/classifiers \
		--require 'recognised>=90' --require 'rarest>=0.25'

test: $(READY)  ## Run the tests that take seconds.
	$(BIN)/python -m pytest

slow: $(READY)  ## Run the tests that take minutes, or need other programs.
	$(BIN)/python -m pytest -m "slow or peer"

lint: $(READY)  ## Check style, types, import contracts and the committed schema.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/tdspec schema --check $(SCHEMA)

format: $(READY)  ## Mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(READY)  ## Renew the committed schema.
	$(BIN)/tdspec schema --write $(SCHEMA)

rules: $(READY)  ## Renew docs/rules.md from the rules' pages.
	$(BIN)/tdspec explain --all --markdown > docs/rules.md

clean:  ## Remove the virtual environment and what tools have cached.
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
