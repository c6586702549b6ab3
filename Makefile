# Two commands do everything on a bare Debian 12 (apt-get install make git first):
#   make train   a trained network and its picture
#   make test    the whole test suite
# Both install what is missing (tools/setup.sh) and build. The build itself is CMake's: see CMakePresets.json.
PRESET = release
BUILD = build/$(PRESET)

.PHONY: all train test fuzz setup build clean
all: build

setup:
	@tools/setup.sh

build: setup
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET)
	@cmake --build --preset $(PRESET)

train: build
	@MLC=$(BUILD)/mlc tools/train.sh

test: build
	@ctest --preset $(PRESET)

# A million damaged inputs for every reader; RUNS=N for another number.
fuzz:
	@tests/fuzz/run.sh $(RUNS)

clean:
	rm -rf build
