#!/usr/bin/env bash
# The keywords of frontend/syntax/lexer.l and the types of the language are in the editors' files.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
failures=0
lacks() { echo "FAIL $1 lacks $2"; failures=$((failures + 1)); }
keywords=$(sed -n '/keywords\[\] = {/,/^};/s/{"\([a-z]*\)",/\n\1\n/gp' "$root/frontend/syntax/lexer.l" | grep -x '[a-z]*' | sort -u)
(($(wc -w <<<"$keywords") >= 16)) || lacks lexer.l "a list of keywords that this test can read"
for word in $keywords; do
    grep -qE "^syntax keyword .* $word( |$)" "$root/editors/vim/syntax/mdl.vim" || lacks mdl.vim "$word"
    grep -qE "b\(([a-z|]*\|)?$word(\|[a-z|]*)?\)" "$root/editors/vscode/syntaxes/mdl.tmLanguage.json" || lacks mdl.tmLanguage.json "$word"
done
if command -v vim >/dev/null; then
    vim -e -s -u NONE -c "set runtimepath+=$root/editors/vim" -c 'syntax on' -c 'source '"$root/editors/vim/syntax/mdl.vim" -c 'qa!' || lacks mdl.vim "a syntax that Vim can read"
fi
((failures == 0))
