# Two commands do everything on a bare Debian 12 (apt-get install make git first):
#   make train   a trained network and its picture
#   make test    the whole test suite
# Developers also have `make check`: what continuous integration runs (tools/check.sh).
# `make deb` makes a Debian package,
# and `make install` puts mlc, the models and the manuals below PREFIX (/usr/local), or below DESTDIR/PREFIX for a package.
# Both install what is missing (tools/setup.sh) and build. The build itself is CMake's: see CMakePresets.json.
PRESET = release
BUILD = build/$(PRESET)
PREFIX = /usr/local

.PHONY: all train test check fuzz setup build install deb clean
all: build

setup:
	@tools/setup.sh

build: setup
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET)

train: build
	@MLC=$(BUILD)/mlc tools/train.sh

test: build
	@ctest --preset $(PRESET) -j "$$(nproc)"

check:
	@tools/check.sh

# What is built already needs neither packages nor a compiler: so `sudo make install` builds nothing as root.
install:
	@test -x $(BUILD)/mlc || $(MAKE) build
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

# A package for Debian 12: build/release/mlc_VERSION_ARCHITECTURE.deb
deb: build
	@tools/setup.sh --package
	@cd $(BUILD) && cpack

# A million damaged inputs for every reader; RUNS=N for another number.
fuzz:
	@tests/fuzz/run.sh $(RUNS)

clean:
	rm -rf build
