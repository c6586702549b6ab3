#!/usr/bin/env bash
# Checks the references of documents: every link to a file or heading, and every file or folder of the project that is
# named in `code`, must exist.
#
#   tests/docs/paths.sh DOCUMENT...
#
# `ir/ops/ops.def` is checked because ir/ is a folder of the project, and `tests/golden/*/` because a pattern must match something.
# Words with NAME, "..." or a space, options and what git ignores (build/, runs/) are left out.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
failures=0

missing() { # PLACE WHAT
    echo "$1: there is no $2"
    failures=$((failures + 1))
}

# Prints the anchors of a document's headings as GitHub makes them, one a line, with newlines around all.
declare -A known=()
find_anchors() {
    [[ ${known[$1]-} ]] || known[$1]=$'\n'$(sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g')$'\n'
}

check_link() { # DOCUMENT PLACE TARGET
    local file=$1
    [[ $3 != *://* ]] || return
    [[ $3 == '#'* ]] || file=$(dirname "$1")/${3%%#*}
    [[ -e $file ]] || { missing "$2" "$3" && return; }
    [[ $3 == *'#'* ]] || return
    find_anchors "$file"
    [[ ${known[$file]} == *$'\n'"${3#*#}"$'\n'* ]] || missing "$2" "heading for $3"
}

check_path() { # PLACE PATH
    [[ -d $root/${2%%/*} && $2 == */* && $2 != *NAME* && $2 != *...* && $2 != build/* && $2 != runs/* ]] || return
    compgen -G "$root/$2" >/dev/null || missing "$1" "$2"
}

for document in "$@"; do
    while IFS=: read -r number text; do
        case $text in
        ']('*) text=${text#']('} && check_link "$document" "$document:$number" "${text%')'}" ;;
        *) text=${text#\`} && check_path "$document:$number" "${text%\`}" ;;
        esac
    done < <(awk '/^ *```/ { inside = !inside } { print inside ? "" : $0 }' "$document" | grep -noE '\]\([^)]*\)|`[A-Za-z.][A-Za-z0-9_.*/-]*`')
done
echo "$failures of the links and paths lead nowhere"
((failures == 0))
