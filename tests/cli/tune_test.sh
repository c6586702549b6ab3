#!/usr/bin/env bash
# mlc tune measures tiles, stores those that are faster, and changes no bit. What is fastest depends on the machine, so the effect
# of stored tiles is tested with tiles that this test writes itself.
. "$(dirname "$0")/common.sh"
small_model
mlc run small.mdl --cpu x86-64-v3 --steps 1 >"$scratch/out" 2>&1 || { echo "skipped: this machine has no AVX2"; exit 0; }
code=$HOME/.cache/mlc/code
stored=$code/tiles-x86-64-v3.txt

answer() { expect 0 mlc run small.mdl --cpu x86-64-v3 --steps 3 && cp "$scratch/out" "$1"; }
code_of() { mlc dump-ir small.mdl --cpu x86-64-v3 --asm >"$1" || fail "no assembly"; }
changed() { code_of new.s && ! cmp -s plain.s new.s || fail "stored tiles change no code: $1"; }
unchanged() { code_of new.s && same plain.s new.s && answer new.txt && same plain.txt new.txt; }

answer plain.txt && code_of plain.s

# The table names every product; the last line says whether tiles are stored.
expect 0 mlc tune small.mdl --cpu x86-64-v3 && says out "product (rows x columns x sum)" "50x24x144" "step: " && cp "$scratch/out" table.txt
if grep -q "are stored" table.txt; then there "$stored"; else says out "nothing is stored" && [[ ! -e $stored ]] || fail "tiles are stored"; fi
answer tuned.txt && same plain.txt tuned.txt
expect 0 mlc tune --forget --cpu x86-64-v3 && [[ ! -e $stored ]] || fail "the tiles are still there"
expect 0 mlc tune --forget --cpu x86-64-v3
unchanged

# Stored tiles change the code, but no result; other steps are allowed with every tile.
steps() { echo "mlc product tiles 1" && awk -v steps="$1" '/^[0-9]+x/ {split($2, tile, "/"); print $1, tile[1] "/" steps}' table.txt; }
(umask 077 && steps 8 >"$stored") && changed "8 steps" && answer new.txt && same plain.txt new.txt
expect 0 mlc train small.mdl --cpu x86-64-v3 --out with && rm "$stored" && expect 0 mlc train small.mdl --cpu x86-64-v3 --out without
same with/last.safetensors without/last.safetensors

# New tiles are stored besides those of other products.
(umask 077 && printf 'mlc product tiles 1\n3x5x7,panels 8x2/4\n' >"$stored")
expect 0 mlc tune small.mdl --cpu x86-64-v3 && grep -qF "3x5x7,panels 8x2/4" "$stored" || fail "the tile of another product is gone"

# A file is ignored if others may write to it, and a line is ignored if no product can take its tile.
steps 8 >"$stored" && chmod 620 "$stored" && unchanged
chmod 600 "$stored" && changed "private again"
for lines in '' 'mlc product tiles 2\n' 'mlc product tiles 1\n50x24x144' 'mlc product tiles 1\n\n  \n50x24x144 \n50x24x144 8x2\n'; do
    printf "$lines" >"$stored" && unchanged
done
steps 3 >"$stored" && unchanged
steps 8 | sed 's/ [0-9]*x[0-9]*/ 999x-1/' >"$stored" && unchanged
head -c 2000000 /dev/urandom >"$stored" && unchanged
rm "$stored" && mkfifo "$stored" && unchanged && rm "$stored"

# Bad usage, a bad model, and a folder that cannot be used.
expect 2 mlc tune && says err "needs a model file, or --forget"
expect 2 mlc tune small.mdl --no-cache && says err "leave out --no-cache"
expect 2 mlc tune small.mdl --cpu nonsense
expect 3 mlc tune small.mdl --set train.batch=many
expect 5 mlc tune missing.mdl
rm -r "$code" && touch "$code" && expect 5 mlc tune --forget && says err "XDG_CACHE_HOME"
expect 5 mlc tune --forget --cpu x86-64-v3
finish
