#!/usr/bin/env bash
# Long sentences hide their idea. Prints every sentence of a document that has more than 30 words, with its line.
#
#   tests/docs/sentences.sh FILE.md...      $LIMIT: another number of words
#
# Headings, tables, blocks of code and indented code are left out. `Code` in a sentence counts as one word, so does a link's
# text count and its address not. A sentence ends at . ! or ?, at the end of its paragraph, and at the end of a list's item.
set -u
awk -v limit="${LIMIT:-30}" '
    function judge(sentence,    words, counted, i) {
        words = split(sentence, word, / +/)
        for (i = 1; i <= words; i++) if (word[i] ~ /[A-Za-z0-9]/) counted++
        if (counted > limit) {
            printf "%s:%d: %d words: %s\n", file, place, counted, sentence
            found++
        }
    }
    function finish_paragraph(    end) {
        gsub(/\]\([^)]*\)/, "]", text)
        while (match(text, /`[^`]*`/)) text = substr(text, 1, RSTART - 1) "CODE" substr(text, RSTART + RLENGTH)
        while (match(text, /[.!?]["*)]*( |$)/)) {
            end = RSTART + RLENGTH
            judge(substr(text, 1, end - 1))
            text = substr(text, end)
        }
        if (text ~ /[^ ]/) judge(text)
        text = ""
    }
    FNR == 1 { finish_paragraph(); inside = 0; file = FILENAME }
    /^ *```/ { finish_paragraph(); inside = !inside; next }
    inside { next }
    /^(#|\||    |<!--)/ { finish_paragraph(); next }
    /^ *$/ { finish_paragraph(); next }
    /^ *([-*]|[0-9]+\.) / { finish_paragraph(); sub(/^ *([-*]|[0-9]+\.) /, "") }
    { sub(/^ +/, ""); if (!text) place = FNR; text = text (text ? " " : "") $0 }
    END { finish_paragraph(); if (found) printf "%d sentences have more than %d words\n", found, limit; exit found > 0 }
' "$@"
