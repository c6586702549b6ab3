#!/usr/bin/env bash
# Manual pages and completions of shells: every command and option of the tables is in them, and bash completes by its script.
source "$(dirname "$0")/common.sh"
commands=$(sed -n 's/^COMMAND([a-z_]*, "\([a-z-]*\)".*/\1/p' "$root/cli/session/commands.def")
mlc help --completion bash >mlc.bash
for shell in bash zsh fish; do mlc help --completion "$shell" >"script.$shell"; done

# The options in a command's help, in its manual page and in the scripts are the same.
for command in $commands; do
    mlc help --man "$command" | sed 's/\\-/-/g' >page
    for option in $(mlc "$command" --help | sed -n 's/^  \(-[^ ]*\) .*/\1/p'); do
        grep -qx "\.B $option\( .*\)\?" page || fail "mlc-$command(1) lacks $option"
        sed -n "/^    $command)/,/;;/p" script.bash | grep -q -- "[' ]$option " || fail "bash: mlc $command lacks $option"
        sed -n "/^    $command)/,/;;/p" script.zsh | grep -q -- "'\**$option\[" || fail "zsh: mlc $command lacks $option"
        grep -q -- "from $command'.* -[ls] $(sed 's/^-*//' <<<"$option") " script.fish || fail "fish: mlc $command lacks $option"
    done
done
mlc help --man | sed 's/\\-/-/g' >page
for command in $commands; do grep -qx "\.BR mlc-$command (1)" page || fail "mlc(1) lacks $command"; done
if command -v groff >/dev/null; then
    for command in '' $commands; do
        mlc help --man $command | groff -man -ww -Tutf8 >/dev/null 2>warnings
        [[ ! -s warnings ]] || fail "mlc help --man $command: $(head -n 1 warnings)"
    done
fi
if command -v zsh >/dev/null; then zsh -n script.zsh || fail "zsh does not read its script"; fi

# completes EXPECTED WORD...: the words that bash offers for the last one, in the order of the alphabet.
completes() {
    local expected=$1 COMP_WORDS COMP_CWORD COMPREPLY
    shift
    COMP_WORDS=(mlc "$@") COMP_CWORD=$#
    _mlc
    local found
    found=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
    [[ $found == "$expected " ]] || fail "mlc $*: '$found', expected '$expected'"
}
source mlc.bash
mkdir models runs && touch digits.mdl photo.png models/iris.mdl
completes 'train' tr
completes 'predict profile' pr
completes '--expect' train --ex
completes 'best last' predict runs --checkpoint ''
completes 'digits.mdl models runs' train ''
completes 'photo.png' predict runs ph
completes 'test train' eval runs --split t
completes 'models runs' train --out ''
completes 'dump-ir' help du

# Unknown pages are errors.
expect 2 mlc help --man nothing
says err "there is no command 'nothing'"
expect 2 mlc help --completion tcsh
says err "the shells are bash, zsh and fish"
expect 2 mlc help --completion
says err "--completion needs the name of a shell"
finish
