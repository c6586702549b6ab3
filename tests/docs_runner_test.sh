#!/usr/bin/env bash
# The documents' runner must be able to fail: this test gives it small documents with right and wrong examples.
set -eu
runner=$(cd "$(dirname "$0")" && pwd)/docs/run.sh
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

expect() { # STATUS PROGRAM DOCUMENT-LINES...
    local status=$1 got=0
    printf '%s\n' "${@:3}" >"$work/document.md"
    MLC=$2 "$runner" "$work/document.md" >"$work/log" 2>&1 || got=$?
    [[ $got == "$status" ]] || { echo "ended with $got, expected $status:" && cat "$work/document.md" "$work/log" && exit 1; }
}

expect 0 /bin/echo '```console' '$ mlc a; echo b >&2' a b '$ seq 9' 1 ... 9 '```' '```' '$ mlc ignored' '```'
expect 1 /bin/echo '```console' '$ mlc a' b '```'
expect 1 /bin/echo '```console' '$ mlc a' '```'
expect 1 /bin/echo '```console' '$ seq 9' 1 ... 8 '```'
expect 1 /bin/echo '```console' '$ mlc "x*y"' 'x?y' '```'
expect 0 /bin/true '```mdl' 'mdl 1' '```'
expect 1 /bin/false '```mdl' 'mdl 1' '```'
expect 0 /bin/false '```mdl' 'x = 1' '```'
echo "the documents' runner fails where it must"
