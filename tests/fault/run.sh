#!/usr/bin/env bash
# tests/fault/run.sh [PLACES [KIND]]: lets one allocation or one system call of a training fail, at PLACES places (default: 32), spread
# over all that there are, and looks at what is left. KIND "memory" or "system": only those. PLACES "all": every place.
# `tests/fault/run.sh 4000` takes about half an hour, `tests/fault/run.sh all system` (2,100 places) a quarter.
#
# After each fault: the status is a documented one; it is not 0 unless all files are as in an unbroken run; it is not 1, which would be a
# bug; stderr says what went wrong; a checkpoint that is there is one of the unbroken run's; no temporary file is left; and the training
# goes on, or begins again, to the bytes of the unbroken run. The outcomes are counted in a table.
source "$(dirname "$0")/../cli/common.sh"
FAULT=$(realpath -m "${FAULT:-$root/build/release/tests/libfault.so}")
places=${1:-32}
kinds=${2:-memory system}
small_model
cat >broken.awk <<'END'
/error|warning/ { gsub(/[0-9]+/, "N"); gsub(/'[^']*'/, "'...'"); print; exit }
END

# The unbroken run, and the files after its first epoch, from which the resumed runs start.
train=(mlc train small.mdl --quiet --threads 2 --set train.epochs=2 --out run)
resume=(mlc train --resume run --quiet --threads 2 --set train.epochs=2)
"${train[@]}" >/dev/null && mv run whole
mlc train small.mdl --quiet --threads 2 --set train.epochs=1 --out run >/dev/null && cp -r run half
"${resume[@]}" >/dev/null && mv run resumed
export XDG_CACHE_HOME=$scratch/cache

# prepare NAME: makes the state that the run starts from: code in the cache or none, an empty folder or half a run.
prepare() {
    rm -rf run "$scratch/cache"
    [[ $1 == *cached ]] && cp -r "$scratch/home/.cache" "$scratch/cache"
    [[ $1 == resume* ]] && cp -r half run
    return 0
}

# with_fault NAME KIND AT ERROR
with_fault() {
    local command=("${train[@]}")
    [[ $1 == resume* ]] && command=("${resume[@]}")
    prepare "$1"
    status=0
    timeout 60 env FAULT_KIND="$2" FAULT_AT="$3" FAULT_ERROR="$4" FAULT_COUNT="$scratch/count" LD_PRELOAD="$FAULT" "${command[@]}" \
        >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
}

lines() { grep -o '"event":"[a-z]*"\(,"epoch":[0-9]*\)\?' "$1/metrics.jsonl" 2>/dev/null; }
said() { awk -f broken.awk "$scratch/err"; }

# Prints what is wrong with the outcome; nothing if all is well.
fault_left() {
    local file
    case $status in
    0)
        for file in last best; do cmp -s "$unbroken/$file.safetensors" "run/$file.safetensors" || echo "status 0, but another $file.safetensors"; done
        [[ -s run/curves.png ]] || echo "status 0, but no picture"
        cmp -s $unbroken/resolved.mdl run/resolved.mdl || echo "status 0, but another resolved.mdl"
        [[ $(lines run) == $(lines $unbroken) ]] || echo "status 0, but the journal is another"
        ;;
    [2-6]) [[ -s $scratch/err ]] || echo "status $status without a word" ;;
    *) echo "status $status: $(tail -n 2 "$scratch/err" | tr '\n' ' ')" ;;
    esac
    for file in last best; do
        [[ -e run/$file.safetensors ]] || continue
        cmp -s "whole/$file.safetensors" "run/$file.safetensors" || cmp -s "half/$file.safetensors" "run/$file.safetensors" ||
            cmp -s "half/$file.safetensors" "run/last.safetensors" || mlc eval run --checkpoint "$file" >/dev/null 2>&1 ||
            echo "$file.safetensors is no checkpoint of the run"
    done
    find run "$scratch/cache" -name '*.tmp' 2>/dev/null | head -1 | grep . >/dev/null && echo "a temporary file is left"
    return 0
}

# The training continues, or starts again, without a fault.
goes_on() {
    local again=("${train[@]}")
    [[ -e run/resolved.mdl ]] && again=("${resume[@]}")
    "${again[@]}" >"$scratch/out" 2>"$scratch/err.again" </dev/null || echo "cannot go on: $(head -n 2 "$scratch/err.again")"
    cmp -s whole/last.safetensors run/last.safetensors || echo "goes on to other bytes"
}

# try NAME KIND AT ERROR
try() {
    local found unbroken=whole
    [[ $1 == resume* ]] && unbroken=resumed
    with_fault "$@"
    found=$(fault_left)
    [[ -z $found ]] || found+=$'\n'"it said: $(cat "$scratch/out" "$scratch/err")"$'\n'"it left: $(ls -l run 2>&1; lines run)"
    printf '%s|%s|%s|%s\n' "$2" "$1" "$status" "$(said)" >>"$scratch/table"
    found+=$(goes_on)
    [[ -z $found ]] || fail "$1, $2 fault $3 (errno $4): $found"
}

# all NAME KIND PLACES ERROR: tries so many places
all() {
    local count at step
    [[ $kinds == *$2* ]] || return 0
    with_fault "$1" "$2" 0 "$4"
    [[ $status == 0 ]] || fail "$1 without a fault ends with $status"
    count=$(cat "$scratch/count")
    [[ $count -gt 100 ]] || fail "$1: only $count $2 calls are seen"
    step=$((places == 0 ? 1 : count / $3 + 1))
    for ((at = 1 + RANDOM % step; at <= count; at += step)); do try "$1" "$2" "$at" "$4"; done
}

RANDOM=14
[[ $places == all ]] && places=0
ENOSPC=28 EIO=5 EMFILE=24 EINTR=4
all train-cached memory $((places / 4 + 1)) 0
all train memory $((places / 8 + 1)) 0
all resume-cached memory $((places / 4 + 1)) 0
all train system $((places * 3 / 32 + 1)) $ENOSPC
all train-cached system $((places * 3 / 32 + 1)) $EIO
all resume-cached system $((places * 3 / 32 + 1)) $EMFILE
all resume-cached system $((places * 3 / 32 + 1)) $EINTR
echo "kind|command|status|first message"
sort "$scratch/table" | uniq -c | sort -k2
[[ $failures == 0 ]] || exit 1
