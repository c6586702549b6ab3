# Sourced by the tests of this folder: makes an empty folder with small data and a model, and defines functions that check commands.
# $MLC, $MAKE_DATA and $MAKE_PICTURES are the programs (default: those of build/release).
set -u
source "$(dirname "${BASH_SOURCE[0]}")/small_model.bash"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
MLC=$(realpath -m "${MLC:-$root/build/release/mlc}")
MAKE_DATA=$(realpath -m "${MAKE_DATA:-$root/build/release/tests/make_data}")
PNG_PIXELS=$(realpath -m "${PNG_PIXELS:-$root/build/release/tests/png_pixels}")
MAKE_PICTURES=$(realpath -m "${MAKE_PICTURES:-$root/build/release/tests/make_pictures}")
scratch=$(mktemp -d) && trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export LC_ALL=C NO_COLOR=1 HOME=$scratch/home TMPDIR=$scratch
unset MLC_DATA XDG_CACHE_HOME COLUMNS
mkdir "$scratch/bin" "$scratch/work" && ln -s "$MLC" "$scratch/bin/mlc" && PATH=$scratch/bin:$PATH
cd "$scratch/work" || exit 1
CC=${CC:-cc}
warnings='-Wall -Wextra -Wpedantic -Wconversion -Werror'
failures=0

fail() {
    echo "FAIL $*"
    failures=$((failures + 1))
}

# expect STATUS COMMAND...: the command must end with this status; its output is in $scratch/out and $scratch/err.
expect() {
    local status=$1 got=0
    shift
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
    [[ $got == "$status" ]] && return
    fail "$*: ended with $got, expected $status"
    cat "$scratch/out" "$scratch/err"
}

# says out|err TEXT...: the output of the last command contains each of the texts.
says() {
    local stream=$1 text
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$scratch/$stream" && continue
        fail "std$stream does not say '$text':"
        cat "$scratch/$stream"
    done
}

# test_program FOLDER FILE...: compiles the test program of a shipped network from these files of its folder, and runs it there.
test_program() {
    local folder=$1
    shift
    # shellcheck disable=SC2086
    expect 0 env -C "$folder" "$CC" -std=c99 -O1 $warnings "$@" -lm -o test
    expect 0 env -C "$folder" ./test
}

# needs_nothing LIBRARY: none of its symbols is undefined.
needs_nothing() { [[ -z $(nm -u "$1" | grep ' U ') ]] || fail "$1: needs symbols"; }

same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
there() { local file; for file in "$@"; do [[ -s $file ]] || fail "$file is not there or empty"; done; }

finish() {
    ((failures == 0)) && echo "ok" && exit 0
    echo "$failures failed"
    exit 1
}
