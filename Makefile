# What everybody needs: make demo, make test. The rest is listed by make help.
#
# Needs Python 3.10 or newer with venv, a C++20 compiler, cmake 3.25 and make. Everything else goes into .venv.

PYTHON ?= python3
AUDIO ?= neutone_sdk/assets/samples/drum_loop.flac
N ?= 10000
TESTS ?= tests
# Exactly this one, as in pyproject.toml. PyPI's own for Linux brings CUDA, several GB: unless a CPU build of it lies where
# pip looks, set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu.
TORCH := torch==2.13.0
OTHER_TORCH ?= 2.14.1
# With the plugins of neutone bundle. cibuildwheel has the same in pyproject.toml.
WHEEL_OPTIONS ?= -Ccmake.define.NEUTONE_INSTALL_PLUGINS=ON
# Operators, export, streams: what depends on torch most.
OTHER_TORCH_TESTS := $(addprefix tests/test_,$(addsuffix .py,library operators operator_arguments ring biquads fir \
  resampler export sample_queue_wrapper online to_streaming))

VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# What several presets compile with the same options is compiled once, where ccache is installed.
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)
export CCACHE_DIR ?= $(CURDIR)/build/ccache

HOSTS_VENV := build/hosts-venv
FRESH := build/fresh

NATIVE_SOURCES := $(shell find csrc cmake -type f) CMakeLists.txt pyproject.toml
# An editable install knows the modules by name: it has to be made anew where some come, go, or become packages.
PACKAGE_FOLDERS := $(shell find neutone_sdk neutone_command -type d ! -name __pycache__)
# All that goes into the wheel.
WHEEL_SOURCES = $(NATIVE_SOURCES) $(shell git ls-files neutone_sdk neutone_command examples/plugins) README.md LICENSE
CPP_FILES = $(shell git ls-files '*.cpp' '*.h')
CPP_UNITS = $(shell git ls-files '*.cpp')

define build_preset
	@mkdir -p build; cmake --preset $(1) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >build/$(1).log 2>&1 \
	  && cmake --build --preset $(1) >>build/$(1).log 2>&1 || { cat build/$(1).log; exit 1; }
endef

define run_native_tests
	@mkdir -p build; for preset in $(1); do \
	  echo "== C++ tests: $$preset"; \
	  cmake --preset $$preset -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >build/$$preset.log 2>&1 \
	    && cmake --build --preset $$preset >>build/$$preset.log 2>&1 \
	    || { cat build/$$preset.log; exit 1; }; \
	  ctest --preset $$preset || exit 1; \
	done
endef

.PHONY: help env build chromium valgrind realtime-sanitizer host-libraries host hosts plugins demo test test-python \
  test-native test-realtime test-operators test-instructions test-consumer test-hosts count-instructions hot-paths \
  test-other-torch test-platforms wheel fuzz lint format install-check bench bench-libraries coverage docs clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | column -t -s '|'

$(VENV)/.env-ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet 'scikit-build-core>=0.11' 'pybind11>=3.0' build ninja numpy
	touch $@

$(VENV)/.build-ready: $(VENV)/.env-ready $(NATIVE_SOURCES) $(PACKAGE_FOLDERS)
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[docs,plot,test]'
	touch $@

$(VENV)/.lint-ready: $(VENV)/.build-ready
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[lint]'
	touch $@

env: $(VENV)/.env-ready ## Make the virtual environment

build: $(VENV)/.build-ready ## Build the operators and install the package into .venv, editable

chromium: ## Install Chromium for the tests of the card, if it is missing and we are root
	tools/install_chromium.sh

demo: build ## Wrap, export and play a clipper: make demo, or make demo AUDIO=file
	$(BIN)/python examples/demo.py "$(AUDIO)"

valgrind: ## Install valgrind, if it is missing and we are root
	tools/install_valgrind.sh

realtime-sanitizer: ## Install a Clang with RealtimeSanitizer into .venv/clang
	PYTHON=$(PYTHON) tools/install_realtime_sanitizer.sh

host-libraries: ## Install what the C++ host is built with, if it is missing and we are root
	tools/install_host_libraries.sh

host: build host-libraries ## Build neutone-host, which plays .nm files without Python, in build/host
	$(call build_preset,host)

hosts: $(HOSTS_VENV)/.hosts-ready ## Install what plugins are built with, and plugin hosts, if they are missing and we are root
	tools/install_plugin_hosts.sh

# Apart from .venv: plugins bring a torch of their own.
$(HOSTS_VENV)/.hosts-ready: tests/hosts/requirements.txt
	$(PYTHON) -m venv $(HOSTS_VENV)
	$(HOSTS_VENV)/bin/pip install --quiet -r $<
	touch $@

plugins: build host-libraries hosts ## Build the example plugins: VST3, CLAP and LV2, in build/plugins/bundles
	$(call build_preset,plugins)
	cmake --install build/plugins --component plugins --prefix build/plugins/package --strip >/dev/null

test: test-native test-realtime test-operators test-python test-instructions test-consumer test-hosts ## Run all tests

test-hosts: plugins ## Play the plugins in real hosts
	$(BIN)/python -m pytest tests/hosts -n 2 --durations=10

test-python: build chromium host ## Run the Python tests
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=20

test-native: $(VENV)/.env-ready host-libraries ## Run the C++ tests, plain and under sanitizers
	$(call run_native_tests,native native-asan native-tsan)

test-realtime: $(VENV)/.env-ready realtime-sanitizer host-libraries ## Run the C++ tests with what audio threads may do checked
	$(call run_native_tests,realtime)

test-platforms: export WINEDEBUG := -all
test-platforms: export WINEPREFIX := $(CURDIR)/build/wine
test-platforms: $(VENV)/.env-ready ## Run the C++ tests for ARM (QEMU), for Windows (Wine), and as MSVC compiles them
	tools/install_cross_compilers.sh
	$(call run_native_tests,native-plain-loops native-aarch64 native-windows)

test-operators: build host-libraries ## Run tests of the operators and the C++ host under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset native-asan -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >/dev/null
	cmake --build --preset native-asan --target neutone_ops neutone-host host_probe >/dev/null
	$(BIN)/python -m tests.sanitized_operators build/native-asan/libneutone_ops.so \
	  tests/test_operator_arguments.py tests/test_ring.py tests/test_ring_arguments.py
	$(BIN)/python -m tests.sanitized_host build/native-asan \
	  tests/test_native_host_files.py tests/test_native_host_metadata.py tests/test_native_host_models.py

test-instructions: hot-paths ## Count the instructions of hot paths, and compare with those on record
	$(BIN)/python -m tests.instructions.count

count-instructions: hot-paths ## Put the number of instructions of hot paths on record
	$(BIN)/python -m tests.instructions.count --update

hot-paths: valgrind build ## Build what the instructions are counted of
	cmake --preset instructions >/dev/null && cmake --build --preset instructions >/dev/null

fuzz: build ## Open broken files, 10000 or as many as: make fuzz N=500
	$(BIN)/python -m tests.fuzz $(N)

lint: $(VENV)/.lint-ready bench-libraries host-libraries hosts ## Check style, types and the C++ with clang-tidy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)
	cmake --preset tidy -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >/dev/null
	$(BIN)/python -m tools.first_commands build/tidy/compile_commands.json
	printf '%s\n' $(CPP_UNITS) | xargs -P 2 -n 1 $(BIN)/clang-tidy -p build/tidy --quiet

format: $(VENV)/.lint-ready ## Format all code
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP_FILES)

# From the source distribution, so that one is known to build. Without isolation: that would download torch once more.
build/wheel/.ready: $(VENV)/.env-ready $(WHEEL_SOURCES) | host-libraries hosts
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --no-isolation $(WHEEL_OPTIONS) --outdir build/wheel . >build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
	touch $@

# Most of torch is never imported here: pip does not compile it ahead. Of all values 0 means "no", as pip's manual says.
$(FRESH)/.torch-ready: export PIP_NO_COMPILE := 0
$(FRESH)/.torch-ready:
	rm -rf $(FRESH)
	$(PYTHON) -m venv $(FRESH)
	$(FRESH)/bin/pip install --quiet $(TORCH)
	touch $@

$(FRESH)/.ready: build/wheel/.ready $(FRESH)/.torch-ready
	$(FRESH)/bin/pip uninstall --quiet --yes neutone_sdk
	$(FRESH)/bin/pip install --quiet build/wheel/*.whl
	touch $@

install-check: $(FRESH)/.ready ## Install the wheel into a fresh environment and do what the README says
	rm -rf build/install-check && mkdir -p build/install-check
	cp examples/example_clipper.py build/install-check
	cd build/install-check && ../fresh/bin/python example_clipper.py -o exported \
	  && ../fresh/bin/neutone info exported/model.nm && ../fresh/bin/neutone card exported/model.nm -o card.html \
	  && ../fresh/bin/neutone render exported/model.nm "$(abspath $(AUDIO))" played.wav --param drive=24

test-consumer: build host-libraries $(FRESH)/.ready ## Build a stranger's plugin host with the wheel, and play models
	$(BIN)/python -m pytest tests/consumer --durations=5

$(VENV)/.release-ready: $(VENV)/.build-ready
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[release]'
	touch $@

# The same excluded libraries as in pyproject.toml, for cibuildwheel: torch's, which every environment has its own of.
wheel: build/wheel/.ready $(VENV)/.release-ready $(FRESH)/.ready ## Make the wheel and the sdist to release, checked and tried, in dist
	rm -rf dist && mkdir dist && cp build/wheel/*.tar.gz dist
	$(BIN)/auditwheel repair --exclude 'libtorch*.so*' --exclude 'libc10*.so*' --exclude 'libshm.so*' \
	  --exclude 'libgomp*.so*' --wheel-dir dist build/wheel/*.whl 2>build/auditwheel.log || { cat build/auditwheel.log; exit 1; }
	$(BIN)/auditwheel show dist/*.whl
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m pytest tests/wheel
	$(FRESH)/bin/pip install --quiet --no-deps --force-reinstall dist/*.whl
	env -i PATH=$(abspath $(FRESH)/bin) $(FRESH)/bin/python tests/wheel/play.py README.md
	ls -l dist

# From elsewhere: what tests start would find the checkout, which has no operators for that Python.
test-other-torch: wheel ## Test the wheel in dist on another torch: make test-other-torch OTHER_TORCH=2.14.1 (several GB)
	$(PYTHON) -m venv --clear build/other-torch
	build/other-torch/bin/pip install --quiet torch==$(OTHER_TORCH) hypothesis pytest pyyaml scipy dist/*.whl
	build/other-torch/bin/python tests/wheel/play.py README.md
	cd build/other-torch && bin/pytest -c ../../pyproject.toml --rootdir ../.. $(addprefix ../../,$(OTHER_TORCH_TESTS))
	PYTHONPATH=. $(BIN)/python -W ignore tools/play_on_other_torch.py build/other-torch/bin/python

bench-libraries: ## Install what the benchmarks are built with and compared with, if it is missing and we are root
	tools/install_bench_libraries.sh

bench: build bench-libraries ## Measure, beside references, and write docs/benchmarks.md: make bench, or make bench QUICK=1
	cmake --preset bench -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python >/dev/null && cmake --build --preset bench >/dev/null
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

coverage: build chromium ## Run the tests and list the lines that none of them reaches: make coverage, or TESTS=tests/test_x.py
	$(BIN)/pip install --quiet --no-build-isolation --editable '.[coverage]'
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/python -m coverage run -m pytest -n 2 $(TESTS)
	$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage html --quiet -d build/coverage/html
	$(BIN)/python -m coverage report
	cmake --preset native-coverage >/dev/null && cmake --build --preset native-coverage >/dev/null
	ctest --preset native-coverage --quiet
	$(BIN)/gcovr --filter csrc/ build/native-coverage

docs: build ## Build the documentation site, build/docs/index.html
	$(BIN)/python -m sphinx -W --keep-going -q -c docs . build/docs

clean: ## Remove everything that was built, and .venv
	rm -rf build $(VENV) demo_output exports
