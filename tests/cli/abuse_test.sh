#!/usr/bin/env bash
# The surroundings of a run: closed streams, a limit on file sizes, two trainings in one folder, names with control characters, and
# labels and numbers that carry no information.
source "$(dirname "$0")/common.sh"
small_model

# If a standard stream is closed, no file gets its number, so no message is written into a file.
expect 5 bash -c 'exec mlc train small.mdl --out closed --set train.epochs=1 <&- >&- 2>&-'
expect 0 mlc eval closed
expect 0 mlc train small.mdl --out open --set train.epochs=1 -q
same closed/last.safetensors open/last.safetensors
expect 5 bash -c 'exec mlc eval open >&-'
says err "cannot write the answer to stdout"

# Beyond the limit on file sizes a write is an error and leaves no partial file. ThreadSanitizer writes a file of its own, so it is excluded.
if [[ -z ${TSAN_OPTIONS-} ]]; then
    expect 5 bash -c 'ulimit -f 4; mlc train small.mdl --out limited --set train.epochs=1'
    says err "cannot write 'limited/last.safetensors': File too large"
    [[ ! -e limited/last.safetensors ]] || fail "a checkpoint was written in part"
fi

# Only one training at a time may use a folder.
mlc train small.mdl --out busy --set train.epochs=100000 -q >"$scratch/busy" 2>&1 &
training=$!
for ((i = 0; i < 200; i++)); do [[ -s busy/last.safetensors ]] && break; sleep 0.05; done
expect 5 mlc train --resume busy --set train.epochs=100000
says err "another training is writing into the folder 'busy'"
kill -INT $training && wait $training
[[ $? == 130 ]] || fail "the first training did not end as it should: $(cat "$scratch/busy")"
expect 0 mlc eval busy

# Class names with control characters are made harmless on terminals; JSON has them unchanged.
printf 'kind,a\n"\033[31mred\nhot",1\n"\033[31mred\nhot",2\nbl\303\274,3\nbl\303\274,4\n' >names.csv
cat >names.mdl <<'END'
mdl 1
data { source = csv("names.csv"); field x = source |> columns("a"); field kind = source.kind }
model m(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, kind); optimizer = adam(0.1); epochs = 60 }
END
expect 0 mlc train names.mdl --out names -q
expect 0 mlc predict names
says out "?[31mred?hot"
grep -q $'\033' "$scratch/out" && fail "an escape sequence of the data reached the terminal"
expect 0 mlc eval names --split train --confusion
grep -q $'\033' "$scratch/out" && fail "an escape sequence of the data reached the terminal"
says out $'  1 bl\303\274                 '
expect 0 mlc data names.mdl
grep -q $'\033' "$scratch/out" && fail "an escape sequence of the data reached the terminal"
expect 0 mlc predict names --json
says out '\u001B[31mred\nhot'
printf 'a,kind\n1,"\033[2J"\n4,bl\303\274\n' >new.csv
expect 0 mlc predict names new.csv
says out " of 1 correct, 1 of an unknown class"
printf 'a\nnan\n1\n' >missing.csv
expect 6 mlc predict names missing.csv
says err "the predictions of 1 row are not finite, such as line 2"
printf 'a;b\n1;2\n' >other.csv
expect 4 mlc predict names other.csv
says err "it names one column only, 'a;b'" 'delimiter = ";"'
printf 'b,c\n1,2\n' >other.csv
expect 4 mlc predict names other.csv
says err "has no column 'a'" "with the same delimiter"
expect 4 mlc predict names no.csv
says err "cannot read 'no.csv': No such file"
finish
