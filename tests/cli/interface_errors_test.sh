#!/usr/bin/env bash
# The library for programs in C: errors are statuses and nothing is printed, memory that is refused leaves nothing behind, and threads do
# not disturb each other.
source "$(dirname "$0")/common.sh"
folder=$root/build/release/tests
ERRORS=$(realpath -m "${INTERFACE_ERRORS:-$folder/interface_errors}")
FAULTS=$(realpath -m "${INTERFACE_FAULTS:-$folder/interface_faults}")
THREADS=$(realpath -m "${INTERFACE_THREADS:-$folder/interface_threads}")
small_model
expect 0 mlc train small.mdl --quiet --out run

# A locale whose numbers have a comma, if the system can make it. With LOCPATH, newlocale of the C library loses its list of folders, so
# AddressSanitizer does not look for leaks here.
mkdir locale && localedef -i de_DE -f UTF-8 "$PWD/locale/de_DE.UTF-8" >/dev/null 2>&1
expect 0 env ASAN_OPTIONS=detect_leaks=0 LOCPATH="$PWD/locale" "$ERRORS" run small.mdl images labels
[[ ! -s $scratch/out && ! -s $scratch/err ]] || fail "the library prints: $(cat "$scratch/out" "$scratch/err")"
[[ -z $(find . -name '*.tmp') ]] || fail "a temporary file is left"

expect 0 "$THREADS" run small.mdl images labels 8 2
[[ ! -s $scratch/err ]] || fail "the library prints: $(cat "$scratch/err")"

# One allocation fails, with code from the cache and with code that LLVM makes. Sanitizers bring an allocator of their own.
if [[ -e $FAULTS ]]; then
    expect 0 "$FAULTS" small.mdl images labels saved 250
    says out "nothing is left"
    expect 0 "$FAULTS" small.mdl images labels saved 20 7 compile
    says out "nothing is left"
fi
finish
