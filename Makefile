# Each of these does all the set-up it needs: `make demo`, `make sandbox` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo sandbox test test-wheel check bench clean

demo: .venv/.installed
	@scripts/demo "$(DEMO)"

sandbox: .venv/.tested-with
	@$(BIN)/python tests/emulators/sandbox.py docs/sandbox "$(SANDBOX)" scripts/sandbox

test: .venv/.tested-with
	@scripts/apt-packages
	@$(MAKE) --no-print-directory check
	@$(BIN)/python scripts/suite

check: .venv/.tested-with
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.measured-with
	@scripts/benchmarks

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/.tested-with: .venv/.installed
	$(BIN)/pip install --quiet --group test
	@touch $@

.venv/.measured-with: .venv/.tested-with
	$(BIN)/pip install --quiet --group bench
	@touch $@

clean:
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

test-wheel: .venv/.tested-with
	@scripts/test-wheel
