#!/usr/bin/env bash
# Golden tests: runs mlc on small files and compares what it prints, byte for byte.
#
#   tests/golden/run.sh [--update] [FOLDER...]      $MLC: the program (default: build/release/mlc)
#
# The folder's name is the command: FILE.mdl or FILE.ir in tests/golden/check is run, from within its folder, as
# `mlc check FILE`. dump-ir-PASS and opt-PASS stand for `mlc dump-ir FILE --after PASS` and `mlc opt FILE --pass PASS`.
# A comment "# args: ..." in the first two lines gives further arguments. FILE.sh is run by bash instead, in an empty folder of
# its own, with mlc in PATH and $GOLDEN naming the test's folder. FILE.out holds stdout, then stderr, then "exit STATUS".
# A missing FILE.out fails, and so do a FILE.out without its input and an empty folder; --update writes what is printed now.
# $GOLDEN_SKIP: inputs (FOLDER/FILE) to leave out; the preset tsan names disk_full.sh, under whose limit on files
# ThreadSanitizer's own memory does not work.
set -u
root=$(cd "$(dirname "$0")" && pwd)
MLC=$(realpath -m "${MLC:-$root/../../build/release/mlc}")
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
failures=0 checked=0 update=false

# Nothing of the caller's may reach the output: no home, no data, no locale, no terminal.
export LC_ALL=C NO_COLOR=1 HOME=$scratch/home TMPDIR=$scratch
unset MLC_DATA XDG_CACHE_HOME COLUMNS MAKEFLAGS
mkdir -p "$scratch/home" "$scratch/bin"
ln -s "$MLC" "$scratch/bin/mlc"
PATH=$scratch/bin:$PATH

fail() {
    echo "FAIL $*"
    failures=$((failures + 1))
}

# Prints the command's words for an input of a folder, one a line.
command_of() {
    local folder=$1 file=$2
    case $folder in
    dump-ir-*) printf '%s\n' mlc dump-ir "$file" --after "${folder#dump-ir-}" ;;
    opt-*) printf '%s\n' mlc opt "$file" --pass "${folder#opt-}" ;;
    *) printf '%s\n' mlc "$folder" "$file" ;;
    esac
    head -n 2 "$file" | sed -n 's/^# args: *//p' | xargs -r -n 1
}

# Runs one input and writes its output to $scratch/got. Paths of this machine are replaced by names.
run_input() {
    local folder=$1 file=$2 status words
    if [[ $file == *.sh ]]; then
        rm -rf "$scratch/work" && mkdir "$scratch/work"
        (cd "$scratch/work" && GOLDEN=$root/$folder bash "$root/$folder/$file") >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
    else
        mapfile -t words < <(command_of "$folder" "$file")
        "${words[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
    fi
    { cat "$scratch/out" "$scratch/err" && echo "exit $status"; } |
        sed -E -e "s|$scratch|SCRATCH|g" -e "s|$root|GOLDEN|g" \
            -e '/^stdlib\.mdl:/{s/:[0-9]+:/:LINE:/;n;s/^ *[0-9]+ /       /}' >"$scratch/got" # its lines move as it grows
}

check_input() {
    local folder=$1 file=$2 expected=${2%.*}.out
    run_input "$folder" "$file"
    checked=$((checked + 1))
    if $update; then
        cmp -s "$scratch/got" "$expected" || { cp "$scratch/got" "$expected" && echo "wrote $folder/$expected"; }
    elif [[ ! -f $expected ]]; then
        fail "$folder/$file: there is no $expected; this was printed:"
        cat "$scratch/got"
    elif ! diff -u --label "$folder/$expected" --label printed "$expected" "$scratch/got"; then
        fail "$folder/$file"
    fi
}

check_folder() {
    local folder=$1 file inputs
    cd "$root/$folder" || { fail "$folder: no such folder" && return; }
    shopt -s nullglob
    inputs=(*.mdl *.ir *.sh)
    ((${#inputs[@]})) || fail "$folder: no inputs"
    for file in *.out; do
        [[ " ${inputs[*]%.*} " == *" ${file%.out} "* ]] || fail "$folder/$file has no input"
    done
    for file in "${inputs[@]}"; do
        if [[ " ${GOLDEN_SKIP-} " == *" $folder/$file "* ]]; then echo "skipped $folder/$file"; else check_input "$folder" "$file"; fi
    done
}

if [[ ${1-} == --update ]]; then
    update=true
    shift
fi
[[ -x $MLC ]] || { echo "golden: no program at $MLC; build it or set MLC" && exit 1; }
folders=("$@")
if ((${#folders[@]} == 0)); then
    mapfile -t folders < <(cd "$root" && ls -d -- */ | tr -d /)
fi
for folder in "${folders[@]}"; do check_folder "$folder"; done
echo "$checked checked, $failures failed"
((failures == 0))
