#!/bin/sh
# Installs what mlc needs to be built and tested on Debian 12, and only what is missing.
#   tools/setup.sh            install
#   tools/setup.sh --checks   likewise, with what only tools/check.sh needs
#   tools/setup.sh --package  likewise, with what only `make deb` needs
#   tools/setup.sh --list     print the package names
# Elsewhere install the same libraries by hand; CMake says what it does not find.
set -eu

packages() {
    sed 's/ *#.*//' <<'LIST'
gcc                       # compiles mlc
libc6-dev                 # the C library's headers
cmake                     # configures the build, runs the tests (ctest)
ninja-build               # runs the build
pkg-config                # where CMake asks for cairo, jansson, libcurl and cmocka
flex                      # the lexer of the model language
bison                     # its parser
llvm-19-dev               # makes the machine code; BLAKE3
libopenblas-pthread-dev   # matrix products for --gemm=openblas
zlib1g-dev                # reads .gz data sets
libpng-dev                # reads PNG pictures, writes those that mlc draws
libjpeg62-turbo-dev       # reads JPEG pictures
libwebp-dev               # reads WebP pictures
libcairo2-dev             # draws curves and prediction pictures
libjansson-dev            # JSON: metrics, checkpoint headers
libcurl4-openssl-dev      # mlc data get
ca-certificates           # for its https
nettle-dev                # SHA-256 of what it gets
libcmocka-dev             # unit tests
lld-19                    # links networks for browsers: mlc build --form wasm
libopenmpi-dev            # one training on several machines: a plugin, and its test
libmpich-dev              # likewise; mlc needs neither
openmpi-bin               # mpirun.openmpi, for the test
mpich                     # mpirun.mpich
nodejs                    # runs the tests of those networks
dataset-fashion-mnist     # Fashion-MNIST, for tests and for training without a network
LIST
}

# What mlc's developers look at its sources with.
check_packages() {
    sed 's/ *#.*//' <<'LIST'
clang-19          # builds mlc a second time, for its warnings
clang-tidy-19     # looks for mistakes
clang-format-14   # the form of the sources; other versions would change them
python3-optuna    # a part of the test of mlc sweep --optuna, which is left out without it
slurm-wlm         # the test of trainings and sweeps under Slurm
LIST
}

missing() {
    for package in $wanted; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

if [ "${1-}" = --list ]; then
    packages
    exit
fi
wanted=$(packages)
if [ "${1-}" = --checks ]; then
    wanted="$wanted $(check_packages)"
elif [ "${1-}" = --package ]; then
    wanted="$wanted dpkg-dev" # dpkg-shlibdeps names the libraries that the package depends on
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "setup: no apt-get here, so nothing is installed. mlc needs:" $wanted >&2
    exit
fi
needed=$(missing)
[ -n "$needed" ] || exit 0
echo "setup: installing" $needed
apt="env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120"
if [ "$(id -u)" -ne 0 ]; then
    apt="sudo $apt"
    if ! command -v sudo >/dev/null; then
        echo "setup: root is needed to install packages, and there is no sudo. As root, run:" >&2
        echo "    apt-get install" $needed >&2
        exit 1
    fi
fi
# Lists that are old or were never fetched do not know the packages: fetch them first.
$apt update || echo "setup: apt-get update failed; trying with the old lists" >&2
if ! $apt install -y --no-install-recommends $needed; then
    echo "setup: apt-get could not install the packages. On Debian 12 all of them come from the suite bookworm, component main," >&2
    echo "       as its point releases have it now: check that apt's sources name it." >&2
    exit 1
fi
