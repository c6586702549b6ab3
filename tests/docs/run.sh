#!/usr/bin/env bash
# Checks the examples of documents: runs the commands and compares their output.
#
#   tests/docs/run.sh DOCUMENT...      $MLC: the program (default: build/release/mlc)
#
# In a fenced block marked ```console, every line "$ COMMAND" is run by bash in a folder that holds models/, with mlc in PATH,
# and must print (stdout and stderr) the lines that follow it, up to the next "$ " or the end of the block. "..." matches anything,
# lines too. A block marked ```mdl that begins with "mdl 1" is a whole model, which `mlc check` must accept. A mark with a file
# name, such as ```mdl my.mdl or ```csv sales.csv, also saves the block under that name in that folder, for the commands below it.
# A comment "<!-- $ COMMAND -->" is run as well: it must succeed, and its output does not count.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
MLC=$(realpath -m "${MLC:-$root/build/release/mlc}")
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C NO_COLOR=1 HOME=$scratch/home TMPDIR=$scratch
unset MLC_DATA XDG_CACHE_HOME COLUMNS
mkdir -p "$scratch/home" "$scratch/bin" "$scratch/room"
ln -s "$MLC" "$scratch/bin/mlc"
ln -s "$root/models" "$scratch/room/models"
PATH=$scratch/bin:$PATH
# a document may install mlc into prefix/
export PKG_CONFIG_PATH=$scratch/room/prefix/lib/pkgconfig LD_LIBRARY_PATH=$scratch/room/prefix/lib
failures=0 examples=0

# A text as a bash pattern: "..." matches anything, and everything else matches itself.
as_pattern() {
    sed -e 's/[][\\*?]/\\&/g' -e 's/\.\.\./*/g' <<<"$1"
}

check_command() { # PLACE COMMAND EXPECTED
    local place=$1 command=$2 expected=$3 printed
    printed=$(cd "$scratch/room" && bash -c "$command" 2>&1 </dev/null)
    examples=$((examples + 1))
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $printed == $(as_pattern "$expected") ]] && return
    failures=$((failures + 1))
    printf 'FAIL %s: %s\n' "$place" "$command"
    diff -u --label document --label printed <(printf '%s\n' "$expected") <(printf '%s\n' "$printed")
}

check_model() { # PLACE TEXT FILE
    printf '%s' "$2" >"$scratch/room/$3"
    check_command "$1" "mlc check $3 >/dev/null || echo rejected" ""
}

# Reads a document line by line; `block` is the first word of the mark of the fenced block it is in, `file` the second one.
check_document() {
    local document=$1 line block='' file='' number=0 place='' command='' text=''
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        case $block:$line in
        :\`\`\`*)
            read -r block file <<<"${line#\`\`\`}"
            place=$document:$number command='' text=''
            [[ $block ]] || block=plain
            ;;
        console:'$ '* | console:\`\`\`)
            [[ -z $command ]] || check_command "$place" "$command" "${text%$'\n'}"
            place=$document:$number command=${line#'$ '} text=''
            [[ $line != \`\`\` ]] || block=''
            ;;
        mdl:\`\`\`)
            [[ $text != 'mdl 1'$'\n'* ]] || check_model "$place" "$text" "${file:-example.mdl}"
            block=''
            ;;
        ?*:\`\`\`)
            [[ -z $file ]] || printf '%s' "$text" >"$scratch/room/$file"
            block=''
            ;;
        :'<!-- $ '*)
            command=${line#'<!-- $ '}
            check_command "$document:$number" "{ ${command%' -->'}; } >/dev/null 2>&1 || echo failed" ""
            ;;
        :*) ;;
        *) text+=$line$'\n' ;;
        esac
    done <"$document"
}

[[ -x $MLC ]] || { echo "docs: no program at $MLC; build it or set MLC" && exit 1; }
for document in "$@"; do check_document "$document"; done
echo "$examples examples, $failures failed"
((failures == 0))
