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

# The output must not depend on the caller: no home, no data, no locale, no terminal.
export LC_ALL=C NO_COLOR=1 HOME=$scratch/home TMPDIR=$scratch
unset MLC_DATA XDG_CACHE_HOME COLUMNS MAKEFLAGS
mkdir -p "$scratch/home" "$scratch/bin"
ln -s "$MLC" "$scratch/bin/mlc"
PATH=$scratch/bin:$PATH

fail() {
    echo "FAIL $*"
    failures=$((failures + 1))
}

# Sets `words` to the command for an input of a folder. A process costs more than mlc here, so the shell does its own parsing.
find_command() {
    local folder=$1 file=$2 first='' second='' line more
    case $folder in
    dump-ir-*) words=(mlc dump-ir "$file" --after "${folder#dump-ir-}") ;;
    opt-*) words=(mlc opt "$file" --pass "${folder#opt-}") ;;
    *) words=(mlc "$folder" "$file") ;;
    esac
    { IFS= read -r first; IFS= read -r second; } <"$file"
    for line in "$first" "$second"; do
        [[ $line == '# args: '* ]] || continue
        if [[ $line == *[\"\']* ]]; then mapfile -t more < <(xargs -n 1 <<<"${line#'# args: '}"); else read -r -a more <<<"${line#'# args: '}"; fi
        words+=("${more[@]}")
    done
}

# Runs one input and sets `got` to its output. Paths of this machine are replaced by names.
run_input() {
    local folder=$1 file=$2 status words out err
    if [[ $file == *.sh ]]; then
        rm -rf "$scratch/work" && mkdir "$scratch/work"
        (cd "$scratch/work" && GOLDEN=$root/$folder exec bash "$root/$folder/$file") >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
    else
        find_command "$folder" "$file"
        "${words[@]}" >"$scratch/out" 2>"$scratch/err" </dev/null
        status=$?
    fi
    IFS= read -r -d '' out <"$scratch/out"
    IFS= read -r -d '' err <"$scratch/err"
    got=$out$err
    got=${got//"$scratch"/SCRATCH}
    got=${got//"$root"/GOLDEN}"exit $status"$'\n'
    if [[ $got == *stdlib.mdl:* ]]; then # its lines move as it grows
        got=$(sed -E '/^stdlib\.mdl:/{s/:[0-9]+:/:LINE:/;n;s/^ *[0-9]+ /       /}' <<<"${got%$'\n'}")$'\n'
    fi
}

check_input() {
    local folder=$1 file=$2 expected=${2%.*}.out wanted='' got
    run_input "$folder" "$file"
    checked=$((checked + 1))
    [[ -f $expected ]] && IFS= read -r -d '' wanted <"$expected"
    [[ -f $expected && $wanted == "$got" ]] && return
    if $update; then
        printf '%s' "$got" >"$expected" && echo "wrote $folder/$expected"
    elif [[ ! -f $expected ]]; then
        fail "$folder/$file: there is no $expected; this was printed:"
        printf '%s' "$got"
    else
        printf '%s' "$got" | diff -u --label "$folder/$expected" --label printed "$expected" -
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
