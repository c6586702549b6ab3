#!/bin/sh
# The picture in docs/architecture.md: the way from text to results with the passes of passes/passes.def, and the libraries with
# their rooms as CMakeLists.txt lists them. A test compares the document with it.
#   tools/picture.sh            print the picture
#   tools/picture.sh --check    compare it with the one in docs/architecture.md
set -eu
cd "$(dirname "$0")/.."

# The passes of one kind: "GRAPH" or "PLAN".
passes() {
    sed -n "s/^PASS(\([a-z]*\), $1, [A-Z0-9]*, [A-Z]*, \"\(.*\)\")$/\1|\2/p" passes/passes.def |
        awk -F'|' '{ printf "      |    %-11s %s\n", $1, $2 }'
}

stage() { # NAME WHAT
    printf '      v\n  %-12s %s\n' "$1" "$2"
}

flow() {
    printf '  %-12s %s\n' my.mdl 'a text'
    printf '      |  frontend\n'
    stage graph 'nodes with shapes: the whole training step'
    printf '      |  passes on graphs\n'
    passes GRAPH
    stage graph 'primitive operations only'
    printf '      |  passes that make and change the plan\n'
    passes PLAN
    stage plan 'kernels in order, buffers, barriers'
    printf '      |  codegen\n'
    stage 'machine code' 'one function a kernel, made by LLVM'
    printf '      |  runtime: threads, data, training loop\n'
    stage runs/1 'weights, metrics, curves'
}

rooms() {
    printf '  library    rooms, from the lowest to the highest\n'
    for library in cli lib engine frontend passes codegen runtime onnx ir; do
        sed -n "s/^mlc_[a-z]*($library ROOMS \([a-z ]*\)\( NEEDS.*\)*$/\1/p" CMakeLists.txt |
            awk -v library=$library '{ printf "  %-10s %s\n", library, $0 }'
    done
}

picture() {
    printf '```text\n'
    flow
    printf '```\n\n```text\n'
    rooms
    printf '```\n'
}

[ "${1-}" = --check ] || { picture && exit; }
picture >"${TMPDIR:-/tmp}/picture.$$"
trap 'rm -f "${TMPDIR:-/tmp}/picture.$$"' EXIT
if sed -n '/^<!-- tools\/picture.sh -->$/,/^<!-- end -->$/p' docs/architecture.md | sed '1d;$d' | diff "${TMPDIR:-/tmp}/picture.$$" -; then
    echo "the picture in docs/architecture.md is current"
else
    echo "docs/architecture.md has another picture: put the output of tools/picture.sh between its two marks"
    exit 1
fi
