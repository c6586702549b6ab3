#!/usr/bin/env bash
# Compiled code on disk: the second run uses the code of the first one and gives the same bits. A damaged folder or file does no
# harm.
. "$(dirname "$0")/common.sh"
small_model
code=$HOME/.cache/mlc/code

run() { expect 0 mlc run small.mdl --steps 3 --verbose "$@"; }
compiled() { says err "compiled in" && cp "$scratch/out" "$scratch/compiled"; }
found() { says err "from the cache in" && same "$scratch/out" "$scratch/compiled"; }
entry() { find "$code" -type f -regex '.*/[0-9a-f]*'; }
mode() { [[ $(stat -c %a "$1") == "$2" ]] || fail "$1 has mode $(stat -c %a "$1"), expected $2"; }
count() { [[ $(entry | wc -l) == "$1" ]] || fail "$(entry | wc -l) entries, expected $1"; }

# With --no-cache no code is read or written.
run --no-cache && compiled
[[ -e $HOME/.cache ]] && fail "--no-cache made a folder"

# the first run leaves its code, private to the user; the second one finds it
run && compiled && count 1
run && found && count 1
mode "$HOME/.cache/mlc" 700 && mode "$code" 700 && mode "$(entry)" 600

# Everything that changes the code changes the name of its file.
run -O0 && says err "compiled in" && count 2
run --cpu x86-64 && says err "compiled in" && same "$scratch/out" "$scratch/compiled" && count 3
run -O3 && says err "from the cache in" && count 3 # is as -O2
expect 0 mlc profile small.mdl --steps 1 --verbose && says err "from the cache in" && count 5 # what measures the machine is new
run && found && count 5

# A damaged, a shortened and an exchanged file are compiled again and replaced.
rm "$code"/* && run && compiled
file=$(entry)
other=x && [[ $(dd if="$file" bs=1 skip=2000 count=1 status=none | tr '\0' 0) == x ]] && other=y
printf %s $other | dd of="$file" bs=1 seek=2000 conv=notrunc status=none && run && compiled && says err "is not what was stored"
run && found
truncate -s 1000 "$file" && run && compiled && run && found
truncate -s 7 "$file" && run && compiled && run && found
run -O0 && other=$(entry | grep -v "$file") && cp "$other" "$file" && run && compiled && says err "is not what was stored"

# files and folders that others may write are not trusted
chmod 622 "$file" && run && compiled && says err "is not what was stored"
chmod 777 "$code" && run && compiled && says err "others may write there"
chmod 700 "$code" && run && found
mv "$code" "$scratch/elsewhere" && ln -s "$scratch/elsewhere" "$code" && run && compiled
rm "$code" && mv "$scratch/elsewhere" "$code" && run && found
mv "$file" "$scratch/file" && ln -s "$scratch/file" "$file" && run && compiled && run && found

# A folder that cannot be made, no home folder, and another folder by the XDG variable.
rm -r "$code" && touch "$code" && run && compiled && rm "$code"
expect 0 env -u HOME mlc run small.mdl --steps 3 --verbose && compiled
expect 0 env XDG_CACHE_HOME="$scratch/xdg" mlc run small.mdl --steps 3 --verbose && compiled
[[ -d $scratch/xdg/mlc/code ]] || fail "XDG_CACHE_HOME is not heeded"
[[ -e $code ]] && fail "the cache is in two places"

# The cache has at most 64 MB: the entries that were unused for the longest time go, files of others stay.
run && compiled
old=$(printf '0%.0s' {1..64}) new=$(printf '1%.0s' {1..64})
truncate -s 20M "$code/$new" && truncate -s 30M "$code/$old" "$code/note.txt" && touch -d '3 days ago' "$code/$old"
touch -d '1 day ago' "$(entry | grep -v '[01]\{64\}')" "$code/$new"
run && found
truncate -s 35M "$code/$new" && touch -d '2 days ago' "$code/$new"
run -O1 && says err "compiled in"
[[ -e $code/$old ]] && fail "the oldest entry is still there"
[[ -e $code/$new && -e $code/note.txt ]] || fail "more was removed than needed"
run && found

# a whole training, twice: the same bits
expect 0 mlc train small.mdl --out first && expect 0 mlc train small.mdl --out second --verbose
says err "the first step begins" && says err "from the cache in" && same first/last.safetensors second/last.safetensors
grep -q "compiled in" "$scratch/err" && fail "a program was compiled again"
finish
