#!/usr/bin/env bash
# The golden runner must be able to fail: this test runs it on small folders, with a program that only prints its arguments.
set -eu
runner=$(cd "$(dirname "$0")" && pwd)/golden/run.sh
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cp "$runner" "$work/run.sh"
export MLC=$work/fake
printf '#!/bin/sh\necho "$@"\necho note >&2\nexit 3\n' >"$MLC" && chmod +x "$MLC"

expect() { # STATUS ARGUMENTS...: the runner must end so
    local status=$1 got=0
    shift
    "$work/run.sh" "$@" >"$work/log" 2>&1 || got=$?
    [[ $got == "$status" ]] || { echo "run.sh $* ended with $got, expected $status:" && cat "$work/log" && exit 1; }
}

mkdir "$work/opt-dce" "$work/empty"
printf '# args: -O 2 "two words"\n' >"$work/opt-dce/one.ir"
expect 1 opt-dce # no one.out
grep -q 'there is no one.out' "$work/log"
expect 0 --update opt-dce
printf 'opt one.ir --pass dce -O 2 two words\nnote\nexit 3\n' | diff - "$work/opt-dce/one.out"
expect 0 opt-dce
echo "echo here; exit 4" >"$work/opt-dce/two.sh"
expect 0 --update opt-dce
printf 'here\nexit 4\n' | diff - "$work/opt-dce/two.out"
echo changed >>"$work/opt-dce/one.out"
expect 1 opt-dce
grep -q '^-changed' "$work/log"
expect 0 --update opt-dce
touch "$work/opt-dce/orphan.out"
expect 1 opt-dce
expect 1 empty
expect 1 nowhere
expect 1 # every folder, empty too
echo "the golden runner fails where it must"
