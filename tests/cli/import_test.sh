#!/usr/bin/env bash
# mlc import: files of several exporters give their original predictions (tests/truth/onnx_files.py, onnx_graphs.py), can be trained on, and
# errors in a file are reported.
source "$(dirname "$0")/common.sh"
files=$root/tests/onnx

# near FILE FILE: the same numbers, line by line, to 1e-5 of the largest
near() {
    paste -d' ' <(tr , ' ' <"$1") <(tr , ' ' <"$2") | awk '{
        if (NF == 0 || NF % 2) exit bad = 1
        for (i = 1; i <= NF / 2; i++) { d = $i - $(i + NF / 2); if (d < 0) d = -d; if (!(d <= 1e-5)) exit bad = 1 }
    } END { exit bad || NR == 0 }' || { fail "$1 and $2 differ" && paste "$1" "$2"; }
}

for name in mlp lenet residual block block17 today sequence words lstm gru nhwc sklearn dynamo quantized shapes causal moves recurrent batchwise resized elements norms einsum attention places linear; do
    expect 0 mlc import "$files/$name.onnx" -o "$name" -q
    there "$name/net.mdl" "$name/net.safetensors" "$name/resolved.mdl"
    expect 0 mlc predict "$name" "$files/$name.npy" --csv "$name.csv" -q
    columns=3- && [[ $name == sequence ]] && columns=2
    tail -n +2 "$name.csv" | cut -d, -f"${columns/3-/4-}" >"$name.got"
    near "$files/$name.txt" "$name.got"
done
head -1 sklearn.csv | grep -q 'p(no),p(yes)' || fail "the names of classes are lost"

# The text is what a person would write.
grep -qF 'y = x |> dense(6) |> gelu |> mean(axis = 1) |> dense(3)' dynamo/net.mdl || fail "dynamo/net.mdl is not as expected"
grep -qF '|> layer_norm |> dense(24)' block/net.mdl || fail "layer norm is spelled out"
grep -qF '|> dense(16) |> gelu |> dense(8)' block/net.mdl || fail "gelu is spelled out"
grep -qF 'h1 = x |> lstm(5) |> lstm(5)' lstm/net.mdl || fail "lstm/net.mdl is not as expected"
grep -qF 'softmax(h1 + select(index([5, 5], 1) <= index([5, 5], 0), 0.0, -3.4028235e+38))' causal/net.mdl || fail "the mask is not written as a rule"
grep -qF 'h4 = gather(x, 5 - index([N, 2, 6], 2), 2) |> flatten' moves/net.mdl || fail "a slice backwards is not as expected"
grep -qF 'h8 = h7 |> lstm(3, h = h2[:, 4], c = h3)' recurrent/net.mdl || fail "a layer that begins with the states of another one is not as expected"
grep -qF 'h20 = h13 |> rnn(2, reverse = true)' recurrent/net.mdl || fail "the second direction is not as expected"
[[ $(sed -n '/^def lstm/,/^}/p' lstm/net.mdl) != *reverse* ]] || fail "a layer in one direction has an argument for the direction"
[[ $(grep -c 'resize_rows.* @ x @ resize_columns' resized/net.mdl) == 8 ]] || fail "resizing is not a product of matrices"
[[ $(grep -c permute nhwc/net.mdl) == 2 ]] || fail "transposes of pictures are not cancelled"
[[ $(sed -n '/^model/,/^}/p' block/net.mdl | sed 1d) == "$(sed -n '/^model/,/^}/p' block17/net.mdl | sed 1d)" ]] || fail "opsets 11 and 17 differ"

# The network can be trained on: an archive for the data block, and the weights of the file.
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }" >label.npy
printf '\0\1\2\1' >>label.npy
cp "$files/mlp.npy" x.npy && "$MAKE_DATA" npz mlp/data.npz x.npy label.npy
expect 0 mlc train mlp/net.mdl --set data.test=1 --set train.epochs=2 --out on
says err "weights: 4 of 4 tensors taken from mlp/net.safetensors"
expect 0 mlc train mlp/net.mdl --weights mlp --set data.test=1 --set train.epochs=1 --set 'train.freeze=[dense1]' --out frozen -q
expect 0 mlc predict on "$files/mlp.npy" --json -q
cp "$files/recurrent.npy" x.npy && "$MAKE_DATA" npz recurrent/data.npz x.npy label.npy
expect 0 mlc train recurrent/net.mdl --set data.test=1 --set train.epochs=1 --out recurrent_on
says err "weights: 32 of 32 tensors taken from recurrent/net.safetensors"
cp "$files/lstm.npy" x.npy && "$MAKE_DATA" npz lstm/data.npz x.npy label.npy
expect 0 mlc train lstm/net.mdl --set data.test=1 --set train.epochs=1 --out lstm_on
says err "weights: 8 of 8 tensors taken from lstm/net.safetensors"

# A run like any other, under a folder's name of its own.
cp "$files/mlp.onnx" here.onnx
expect 0 mlc import here.onnx
says out "here/net.mdl: 2 layers, 163 weights in here/net.safetensors"
says err "to predict: mlc predict here FILE" "to train on: fill in the data block of here/net.mdl"
expect 0 mlc import here.onnx -o again -q
same here/net.mdl again/net.mdl && same here/net.safetensors again/net.safetensors
expect 5 mlc import here.onnx
says err "'here' exists and is not an empty folder"
mkdir -p deep && expect 0 mlc import here.onnx -o deep/er/net/ -q
there deep/er/net/net.mdl

# -- files that cannot be imported: nothing is written --

refused() { # STATUS FILE TEXT...
    local status=$1 file=$2
    shift 2
    expect "$status" mlc import "$file" -o bad
    says err "$@"
    [[ ! -e bad && ! $(compgen -G 'bad.*') ]] || fail "$file: something was written"
    rm -rf bad
}
# Protobuf in hexadecimal: text FIELD TEXT, message FIELD HEX..., number FIELD NUMBER
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
varint() { local n=$1; while ((n > 127)); do printf %02x $((n & 127 | 128)); ((n >>= 7)); done; printf %02x "$n"; }
text() { varint $(($1 << 3 | 2)) && varint ${#2} && hex "$2"; }
message() { local field=$1 all; shift; printf -v all %s "$@"; varint $((field << 3 | 2)) && varint $((${#all} / 2)) && printf %s "$all"; }
number() { varint $(($1 << 3)) && varint "$2"; }
node() { # OP OUTPUT INPUT... {attributes in hexadecimal: @HEX}
    local op=$1 output=$2 all="" part
    shift 2
    for part in "$@"; do if [[ $part == @* ]]; then all+=${part#@}; else all+=$(text 1 "$part"); fi; done
    message 1 "$all" "$(text 2 "$output")" "$(text 4 "$op")"
}
value() { # FIELD NAME SIZE...
    local field=$1 name=$2 dims="" size
    shift 2
    for size in "$@"; do if [[ $size == [0-9]* ]]; then dims+=$(message 1 "$(number 1 "$size")"); else dims+=$(message 1 "$(text 2 "$size")"); fi; done
    message "$field" "$(text 1 "$name")" "$(message 2 "$(message 1 "$(number 1 1)" "$(message 2 "$dims")")")"
}
tensor() { # NAME HEX-OF-FIELDS...
    local name=$1
    shift
    message 5 "$(text 8 "$name")" "$(number 2 1)" "$@"
}
file() { # NAME HEX-OF-THE-GRAPH...
    local name=$1 bytes
    shift
    bytes=$(number 1 8)$(message 8 "$(number 2 13)")$(message 7 "$@")
    printf "$(sed 's/../\\x&/g' <<<"$bytes")" >"$name"
}
x=$(value 11 x N 4) y=$(value 12 y N 4)

file good.onnx "$(node Relu h x)" "$(node Tanh y h)" "$x" "$y"
expect 0 mlc import good.onnx -o good -q
grep -qF 'y = x |> relu |> tanh' good/net.mdl || fail "good.onnx: $(cat good/net.mdl)"
file unsorted.onnx "$(node Tanh y h)" "$(node Relu h x)" "$x" "$y"
expect 0 mlc import unsorted.onnx -o unsorted -q
file unknown.onnx "$(node Foo h x)" "$(node Relu g h)" "$(node NonMaxSuppression y g)" "$x" "$y"
refused 3 unknown.onnx "Foo 'h' (byte " "NonMaxSuppression 'y' (byte " "this operation is not supported"
file circle.onnx "$(node Add h x g)" "$(node Relu g h)" "$(node Relu y g)" "$x" "$y"
refused 3 circle.onnx "the nodes form a cycle"
file missing.onnx "$(node Add y x w)" "$x" "$y"
refused 3 missing.onnx "nothing makes the value 'w', an input of Add 'y'"
file twice.onnx "$(node Relu y x)" "$(node Tanh y x)" "$x" "$y"
refused 3 twice.onnx "the value 'y' is made twice"
file none.onnx "$(node Relu z x)" "$x" "$y"
refused 3 none.onnx "nothing makes the value 'y'"
huge=$(varint 8)ffffffffffffffff7f
file huge.onnx "$(tensor w "$huge")" "$(node Add y x w)" "$x" "$y"
refused 5 huge.onnx "axis 0 of the tensor 'w' has 9223372036854775807 elements"
file product.onnx "$(tensor w "$(number 1 100000)" "$(number 1 100000)")" "$(node Add y x w)" "$x" "$y"
refused 5 product.onnx "axis 1 of the tensor 'w' has 100000 elements"
file short.onnx "$(tensor w "$(number 1 4)" "$(text 9 abcd)")" "$(node Add y x w)" "$x" "$y"
refused 5 short.onnx "the elements of the tensor 'w' do not fit its shape"
external() { tensor w "$(number 1 4)" "$(message 13 "$(text 1 location)" "$(text 2 "$1")")" "$(number 14 1)"; }
mkdir -p inside && printf '0123456789abcdef' >outside.bin && ln -s ../outside.bin inside/link.bin
for place in ../outside.bin "$PWD/outside.bin" link.bin sub/../../outside.bin; do
    file inside/out.onnx "$(external "$place")" "$(node Add y x w)" "$x" "$y"
    refused 5 inside/out.onnx "which is outside of its folder"
done
file inside/gone.onnx "$(external gone.bin)" "$(node Add y x w)" "$x" "$y"
refused 5 inside/gone.onnx "cannot read 'inside/gone.bin', which holds weights of" "keep them in the same folder"
printf 'abc' >inside/few.bin && file inside/few.onnx "$(external few.bin)" "$(node Add y x w)" "$x" "$y"
refused 5 inside/few.onnx "a tensor of 16 bytes does not lie in 'few.bin'"
file rows.onnx "$(node Transpose y x)" "$x" "$(value 12 y 4 N)"
refused 3 rows.onnx "the output 'y' is [4, N]: it has no row for each row of the batch"
file axis.onnx "$(node Relu y x)" "$(value 11 x N time 4)" "$(value 12 y N time 4)"
refused 3 axis.onnx "axis 1 of the input 'x' has no fixed size" "--axis time=SIZE"
expect 0 mlc import axis.onnx -o axis --axis time=7 -q
grep -qF 'f32[N,7,4]' axis/net.mdl || fail "--axis is not used"
expect 2 mlc import axis.onnx -o bad --axis time
says err "--axis takes NAME=SIZE, not 'time'"
file shapes.onnx "$(tensor w "$(number 1 3)" "$(text 9 0123456789ab)")" "$(node Add y x w)" "$x" "$y"
refused 3 shapes.onnx "Add 'y' (byte " "the shapes [N, 4] and [3] do not fit"
refused 5 nowhere.onnx "cannot read 'nowhere.onnx'"
echo 'no protobuf at all' >text.onnx
refused 5 text.onnx "'text.onnx' is not a sound ONNX file"
: >empty.onnx
refused 5 empty.onnx "it has no graph"
length=$(stat -c %s "$files/residual.onnx")
for ((cut = 1; cut < length; cut += 83)); do
    head -c "$cut" "$files/residual.onnx" >cut.onnx
    mlc import cut.onnx -o bad 2>"$scratch/err"
    [[ $? == [35] && ! -e bad ]] || fail "cut after $cut bytes: $(cat "$scratch/err")"
done
[[ $(compgen -G '*.tmp') ]] && fail "a temporary folder is left"

finish
