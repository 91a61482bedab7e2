# Each target makes or brings up to date the environment that it needs; `make help` lists them.
VENV ?= .venv
TESTS ?=
# version of the npm package for the tests of the exported page
ONNXRUNTIME_WEB := 1.30.0
export PYTHON HASHES
# two processes of one thread each: more threads would only wait for each other. Each takes half of the tests, file by
# file, which makes what a file shares once, and then what the other has left
QUICK := -m pytest -n 2 --dist worksteal -m 'not slow' $(TESTS)
MAKE_VENV := requirements/make_venv.sh

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile
	@echo 'PYTHON=/path/to/python chooses the interpreter (3.10 to 3.14), VENV=.venv-x another folder for the environment,'
	@echo 'TESTS=tests/models/test_gfd.py some tests only; HASHES=no takes files of your index that are not the pinned ones.'

demo: venv ## train a small CID on drawn people, evaluate it, write images to work_dirs/demo
	'$(VENV)/bin/python' tools/demo.py

test: venv ## the quick tests
	OMP_NUM_THREADS=1 '$(VENV)/bin/python' $(QUICK)

# files whole: what takes minutes to make is made once
test-slow: venv ## the tests that take minutes
	OMP_NUM_THREADS=1 '$(VENV)/bin/python' -m pytest -n 2 --dist loadfile -m slow $(TESTS)

test-web: venv-web ## the page of `cid web` in a headless Chromium (CHROMIUM=/path/to/it; what needs one is left out without)
	PYTHONPATH=.venv-web OMP_NUM_THREADS=1 '$(VENV)/bin/python' -m pytest -rs tests/web

test-numpy1: ## the quick tests on numpy 1 with xtcocotools (Python 3.10 or 3.11)
	@$(MAKE_VENV) .venv-numpy1 numpy1
	OMP_NUM_THREADS=1 .venv-numpy1/bin/python $(QUICK)

test-onedl: ## the quick tests with onedl-mmengine in place of mmengine
	@$(MAKE_VENV) .venv-onedl onedl
	OMP_NUM_THREADS=1 .venv-onedl/bin/python $(QUICK)

test-export: venv-export ## the tests of exported files, with onnx, onnxruntime and OpenVINO (Python 3.11 or newer)
	PYTHONPATH=.venv-export OMP_NUM_THREADS=1 '$(VENV)/bin/python' -m pytest -rs $(or $(TESTS),tests/export/test_run.py tests/export/test_tensorrt_engine.py tests/export/test_int8.py tests/runtime)

test-browser: venv-export venv-web ## the page of `cid export --format browser` in a headless Chromium (with npm)
	@test -d .venv-browser/package || ! command -v npm >/dev/null || { mkdir -p .venv-browser && cd .venv-browser && \
		npm pack --silent onnxruntime-web@$(ONNXRUNTIME_WEB) >/dev/null && tar xzf onnxruntime-web-*.tgz \
		package/dist/ort.wasm.bundle.min.mjs package/dist/ort-wasm-simd-threaded.wasm; }
	PYTHONPATH=.venv-export:.venv-web ONNXRUNTIME_WEB=.venv-browser/package OMP_NUM_THREADS=1 \
		'$(VENV)/bin/python' -m pytest -rs tests/export/test_browser_page_shown.py

test-scale: venv ## shards that are killed, Parquet, and Ray on this machine (Python 3.11 or newer)
	@test -d .venv-scale/ray -a .venv-scale -nt requirements/scale.txt || { rm -rf .venv-scale && \
		'$(VENV)/bin/python' -m pip install -q --no-deps --only-binary=:all: --target .venv-scale -r requirements/scale.txt; }
	PYTHONPATH=.venv-scale:.venv-export OMP_NUM_THREADS=1 '$(VENV)/bin/python' -m pytest -rs \
		$(or $(TESTS),tests/scale tests/cli/test_predict_rows.py tests/repository/test_docs_scale.py)

test-oldest: ## the quick tests on the oldest versions that fit (Python 3.10, torch 2.0)
	@$(MAKE_VENV) .venv-oldest oldest
	OMP_NUM_THREADS=1 .venv-oldest/bin/python $(QUICK)

test-newest: ## the quick tests on the newest versions of the package index
	@$(MAKE_VENV) .venv-newest newest
	OMP_NUM_THREADS=1 .venv-newest/bin/python $(QUICK)

test-cuda: venv ## check a GPU in at most 10 minutes: tests, training, compile, memory, benchmark, one report
	'$(VENV)/bin/python' experiments/device_check.py

agreement: venv ## the largest differences to MMPose's own CID and to the authors' figures and rules
	'$(VENV)/bin/python' -m pytest --figures tests/agreement/test_mmpose.py tests/agreement/test_authors.py \
		tests/agreement/test_second_writing.py

known-answers: venv ## APs worked out by hand beside what the evaluation says
	'$(VENV)/bin/python' -m pytest --figures tests/agreement/test_known_answers.py

overfit: venv ## learn a few real images by heart: make overfit DATA=/path/to/coco (45 minutes)
	@test -n '$(DATA)' || { echo 'error: say where the COCO images are: make overfit DATA=/path/to/coco' >&2; exit 2; }
	'$(VENV)/bin/python' experiments/overfit.py --data-root '$(DATA)'

lint: venv ## the rules and the layout of the code (ruff), and the types of its core (mypy)
	@test -x .venv-lint/bin/ruff -a .venv-lint/pyvenv.cfg -nt requirements/lint.txt || { \
		'$(VENV)/bin/python' -m venv --clear .venv-lint && .venv-lint/bin/pip install -q -r requirements/lint.txt; }
	.venv-lint/bin/ruff check .
	.venv-lint/bin/ruff format --check .
	.venv-lint/bin/mypy --python-executable '$(VENV)/bin/python'

api: venv ## pages of the API, made from the docstrings: build/api/index.html
	@test -d .venv-api/pdoc -a .venv-api -nt requirements/docs.txt || { rm -rf .venv-api && \
		'$(VENV)/bin/python' -m pip install -q --no-deps --target .venv-api -r requirements/docs.txt; }
	PYTHONPATH=.venv-api '$(VENV)/bin/python' docs/make_api.py

lock: ## write requirements/lock.txt anew after a change of pins (asks the package index for all hashes)
	@requirements/make_lock.sh

clean: ## remove environments and what builds and tests leave behind (keeps work_dirs)
	rm -rf .venv .venv-* .venv*.lock build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
	find cid_mmpose experiments tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

venv-web: venv
	@test -d .venv-web/gradio -a .venv-web -nt requirements/web.txt || { rm -rf .venv-web && \
		'$(VENV)/bin/python' -m pip install -q --no-deps --only-binary=:all: --target .venv-web -r requirements/web.txt; }

venv-export: venv
	@test -d .venv-export/onnx -a .venv-export -nt requirements/export.txt || { rm -rf .venv-export && \
		'$(VENV)/bin/python' -m pip install -q --no-deps --only-binary=:all: --target .venv-export -r requirements/export.txt; }

venv:
	@$(MAKE_VENV) '$(VENV)' stack

.PHONY: help demo test test-slow test-web test-export test-scale test-browser test-numpy1 test-onedl test-oldest test-newest test-cuda agreement known-answers \
	overfit lint api lock clean venv venv-web venv-export
