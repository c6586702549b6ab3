#!/usr/bin/env bash
# The commands of README in their order, in an empty folder: the first model is my.mdl, and every line "mlc ..." works.
source "$(dirname "$0")/common.sh"

# Writes patterns in place of the digits, with their names and sizes. HEADER is a format of printf.
export MLC_DATA=$scratch/data
mkdir -p "$MLC_DATA/mnist"
patterns() { # NAME HEADER BYTES CLASSES
    printf "$2" >"$MLC_DATA/mnist/$1"
    LC_ALL=C awk -v n="$3" -v most="$4" 'BEGIN { for (i = 0; i < n; i++) printf "%c", 1 + i * 7919 % most }' >>"$MLC_DATA/mnist/$1"
}
patterns train-images-idx3-ubyte '\0\0\x08\x03\0\0\x01\x2c\0\0\0\x1c\0\0\0\x1c' $((300 * 784)) 113
patterns train-labels-idx1-ubyte '\0\0\x08\x01\0\0\x01\x2c' 300 9
patterns t10k-images-idx3-ubyte '\0\0\x08\x03\0\0\0\x64\0\0\0\x1c\0\0\0\x1c' $((100 * 784)) 127
patterns t10k-labels-idx1-ubyte '\0\0\x08\x01\0\0\0\x64' 100 9

awk '/^```mdl$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$root/README.md" >my.mdl
lines=0
while IFS= read -r line; do
    read -r -a words <<<"${line%%  *}"
    [[ ${words[*]} == *new.png* ]] && cp grid.png new.png
    [[ ${words[*]} == *digits/* && ! -d digits ]] && { mlc predict runs/1 --index 3 --png grid.png >"$scratch/out" 2>&1; mkdir -p digits/{0..9}; for class in digits/*; do cp grid.png "$class/one.png"; done; }
    [[ ${words[*]} == *net.onnx* ]] && cp "$root/tests/onnx/mlp.onnx" net.onnx
    lines=$((lines + 1))
    expect 0 "${words[@]}"
done < <(sed -n '/save the model above/,/^`mlc --help`/s/^    \(mlc .*\)/\1/p' "$root/README.md")
((lines >= 10)) || fail "README shows $lines commands"
there grid.png out.csv runs/1/last.safetensors

# make install, as a packager runs it
expect 0 make -C "$root" install BUILD="$(dirname "$MLC")" PREFIX=/usr DESTDIR="$scratch/package"
there "$scratch/package/usr/bin/mlc" "$scratch/package/usr/share/mlc/models/mnist.mdl"
# The installed program is the program under test, except for the paths where it looks for libraries.
diff <(mlc help) <("$scratch/package/usr/bin/mlc" help) >/dev/null || fail "the installed program has other commands"
diff <(mlc check my.mdl) <("$scratch/package/usr/bin/mlc" check my.mdl) >/dev/null || fail "the installed program says something else of my.mdl"
[[ $(mlc version) == $("$scratch/package/usr/bin/mlc" version) ]] || fail "the installed program has another version"
finish
