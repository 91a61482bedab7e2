# Each target makes the environment it needs when that is not there; `make help` lists them.
PINS := $(wildcard requirements/*) setup.cfg pyproject.toml
export PYTHON
# two processes of one thread each: more threads would only wait for each other
QUICK := -m pytest -n 2 -m 'not slow'

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile
	@echo 'PYTHON=/path/to/python3.11 chooses the interpreter for a new .venv (3.10 or 3.11).'

demo: .venv/.ready ## train a small CID on drawn people, evaluate it, write pictures to work_dirs/demo
	.venv/bin/python tools/demo.py

test: .venv/.ready ## the quick tests
	OMP_NUM_THREADS=1 .venv/bin/python $(QUICK)

test-slow: .venv/.ready ## the tests that take minutes
	.venv/bin/python -m pytest -m slow

test-onedl: .venv-onedl/.ready ## the quick tests with onedl-mmengine in place of mmengine
	OMP_NUM_THREADS=1 .venv-onedl/bin/python $(QUICK)

test-numpy2: .venv-numpy2/.ready ## the quick tests on numpy 2, without xtcocotools
	OMP_NUM_THREADS=1 .venv-numpy2/bin/python $(QUICK)

test-cuda: .venv/.ready ## check a GPU in at most 10 minutes: tests, training, compile, memory, benchmark, one report
	.venv/bin/python tools/device_check.py

agreement: .venv/.ready ## the largest differences to MMPose's own CID and to the authors' figures and rules
	.venv/bin/python -m pytest --figures tests/test_agreement_mmpose.py tests/test_agreement_authors.py \
		tests/test_agreement_second_writing.py

known-answers: .venv/.ready ## APs worked out by hand beside what the evaluation says
	.venv/bin/python -m pytest --figures tests/test_known_answers.py

overfit: .venv/.ready ## learn a few real pictures by heart: make overfit DATA=/path/to/coco (45 minutes)
	@test -n '$(DATA)' || { echo 'error: say where the COCO pictures are: make overfit DATA=/path/to/coco' >&2; exit 2; }
	.venv/bin/python tools/overfit.py --data-root '$(DATA)'

clean: ## remove environments and what builds and tests leave behind (keeps work_dirs)
	rm -rf .venv .venv-onedl .venv-numpy2 build dist *.egg-info .pytest_cache .hypothesis
	find cid_mmpose tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: $(PINS)
	@requirements/make_venv.sh .venv stack

.venv-onedl/.ready: $(PINS)
	@requirements/make_venv.sh .venv-onedl onedl

.venv-numpy2/.ready: $(PINS)
	@requirements/make_venv.sh .venv-numpy2 numpy2

.PHONY: help demo test test-slow test-onedl test-numpy2 test-cuda agreement known-answers overfit clean
