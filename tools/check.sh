#!/usr/bin/env bash
# tools/check.sh [PART...]: checks of the sources, by name; without a name all of them. Prints the seconds of each part. A part
# that fails does not keep the others from running; the status is 1 then.
#   setup    installs the tools that the other parts need
#   format   clang-format has nothing to change
#   test     what README.md shows: make test
#   clang    clang builds everything without a warning
#   tidy     clang-tidy finds nothing of what .clang-tidy looks for (after clang, which makes the generated sources)
#   dev      gcc builds everything without a warning; tests with AddressSanitizer and UBSan
#   tsan     tests of threads with ThreadSanitizer
# CMakePresets.json says which tests dev and tsan run.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc)
parts=(setup format test clang tidy dev tsan)

sources() { find cli codegen engine frontend ir lib onnx passes runtime tests bench -name '*.[ch]' -print0 | sort -z; }

need() {
    command -v "$1" >/dev/null && return
    echo "check: there is no $1; 'tools/setup.sh --checks' installs it" >&2
    return 1
}

part_setup() { tools/setup.sh --checks; }

part_format() {
    need clang-format-14 || return 1
    sources | xargs -0 clang-format-14 --dry-run -Werror && return
    echo "check: clang-format-14 -i FILE formats a file" >&2
    return 1
}

part_test() { make test; }

part_clang() { need clang-19 && cmake --preset clang >/dev/null && cmake --build --preset clang; }

part_tidy() {
    need clang-tidy-19 || return 1
    cmake --preset clang >/dev/null && cmake --build --preset clang-generated || return 1
    sources | grep -zv -e '\.h$' -e '^bench/' | xargs -0 -P "$jobs" -n 16 clang-tidy-19 -p build/clang --quiet 2>&1 | grep -vE '^(\[[0-9/]+\] Processing|[0-9]+ warnings? generated)'
    [[ ${PIPESTATUS[*]:0:3} == "0 0 0" ]]
}

part_dev() { cmake --preset dev >/dev/null && cmake --build --preset dev-check && ctest --preset dev-check -j "$jobs"; }

part_tsan() { cmake --preset tsan >/dev/null && cmake --build --preset tsan-check && ctest --preset tsan-check -j "$jobs"; }

run_part() {
    local begin=$SECONDS outcome=ok
    echo "== check: $1"
    "part_$1" || outcome=FAILED
    report+="$(printf '%-8s %-8s %4d s' "$1" $outcome $((SECONDS - begin)))"$'\n'
    [[ $outcome == ok ]]
}

(($#)) || set -- "${parts[@]}"
for part; do
    if ! declare -F "part_$part" >/dev/null; then
        echo "check: there is no part '$part'; there are: ${parts[*]}" >&2
        exit 2
    fi
done
report= status=0
for part; do run_part "$part" || status=1; done
printf '== check: parts\n%s' "$report"
exit $status
