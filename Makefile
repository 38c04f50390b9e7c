# Each target sets up what it needs in .venv; Python 3.11 and make are enough.
PYTHON ?= python3.11
BIN := .venv/bin
EXTRAS_demo := sample,tfds
EXTRAS_dev := dev

.PHONY: demo test check format clean

demo: .venv/demo  ## trains for two minutes, enlarges a photograph, shows both: demo/sheet.png
	$(BIN)/python -m ttsr_tf.train --flagfile=configs/quickstart.flags
	$(BIN)/python -m ttsr_tf.demo --checkpoint=runs/quickstart --output_dir=demo

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/dev  ## what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info

.venv/%: setup.py constraints.txt
	test -d .venv/bin || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS_$*)]'
	touch $@
