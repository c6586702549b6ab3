#!/usr/bin/env bash
# Feeds damaged files to mlc's readers.
#   run.sh READER PROGRAM RUNS   one reader, with a program linked to driver.c: what the test suite does
#   run.sh [RUNS [READER...]]    with libFuzzer, AddressSanitizer and UBSan (`make fuzz`): 1,000,000 inputs for each reader; needs
#                                clang-19 and libclang-rt-19-dev. What is found stays in build/fuzz/found.
# A reader is a file READER_fuzz.c of this folder. Its seeds are small files of the tree, and corpus/READER.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

seeds() {
    shopt -s nullglob
    case $1 in
    mdl) printf '%s\n' "$root"/models/*.mdl "$root"/tests/golden/check/*.mdl ;;
    onnx) printf '%s\n' "$root"/tests/onnx/*.onnx ;;
    ir) printf '%s\n' "$root"/tests/golden/*/*.ir ;;
    esac
    find "$here/corpus/$1" -type f 2>/dev/null | sort
}

if [[ ${2-} == */* ]]; then
    mapfile -t files < <(seeds "$1")
    exec "$2" "$3" "${files[@]}"
fi

runs=${1:-1000000}
readers=("${@:2}")
if ((${#readers[@]} == 0)); then mapfile -t readers < <(cd "$here" && ls -- *_fuzz.c | sed 's/_fuzz\.c//'); fi
command -v clang-19 >/dev/null || { echo "fuzz: clang-19 is not there: apt-get install clang-19 libclang-rt-19-dev" >&2 && exit 1; }
cd "$root"
[[ -f build/fuzz/build.ninja ]] || cmake --preset fuzz
cmake --build --preset fuzz
for reader in "${readers[@]}"; do
    corpus=build/fuzz/corpus/$reader
    mkdir -p "$corpus" build/fuzz/found
    while read -r seed; do cp "$seed" "$corpus/$(basename "$(dirname "$seed")")-$(basename "$seed")"; done < <(seeds "$reader")
    echo "fuzz: $reader, $runs inputs"
    "build/fuzz/tests/${reader}_fuzz" -runs="$runs" -max_len=16384 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="build/fuzz/found/$reader-" "$corpus"
done
echo "fuzz: nothing found"
