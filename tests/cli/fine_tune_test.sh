#!/usr/bin/env bash
# A training that starts with the weights of another run, some of them frozen: `weights`, `freeze`, --weights, --map.
source "$(dirname "$0")/common.sh"

# Four squares of the plane are four classes; for the second network the upper ones are one class, and there are few rows.
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 400; i++) { a = i * 37 % 101 / 50 - 1; b = i * 53 % 97 / 48 - 1; print a "," b "," (a > 0) + 2 * (b > 0) } }' >many.csv
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 40; i++) { a = i * 41 % 101 / 50 - 1; b = i * 59 % 97 / 48 - 1; print a "," b "," (b > 0) } }' >few.csv
model() { # NAME DATA LAYERS TRAIN
    cat >"$1.mdl" <<END
mdl 1
data { source = csv("$2"); field x = columns(source, ["a", "b"]); field y = source.y }
model net(x) -> logits { logits = x |> $3 }
train { loss = cross_entropy(logits, y); batch = 16; metrics = [accuracy(logits, y)]; $4 }
END
}
body='dense(16) |> batch_norm |> relu |> dense(16) |> relu'
model base many.csv "$body |> dense(4)" 'optimizer = adam(0.01); epochs = 20'
model new few.csv "$body |> dense(2)" 'optimizer = adam(0.02); epochs = 30; weights = "base"; freeze = [dense1, "batch*", "dense2"]'
expect 0 mlc train base.mdl --out base -q
expect 0 mlc train new.mdl --out new
says err "weights: 8 of 10 tensors taken from base/last.safetensors" \
    "keeps its initial values: dense3.weight is f32[2,16] here and f32[4,16] there" "keeps its initial values: dense3.bias is f32[2] here and f32[4] there"

# The bytes of a tensor of a checkpoint, and its bits.
values() { # FILE NAME
    local header length begin end
    length=$(od -An -tu8 -N8 "$1") header=$(head -c $((8 + length)) "$1" | tail -c +9)
    read -r begin end <<<"$(grep -oP "\"$2\":\{[^}]*\"data_offsets\":\[\K[0-9,]+" <<<"$header" | tr , ' ')"
    tail -c +$((9 + length + begin)) "$1" | head -c $((end - begin))
}
tensor() { values "$@" | od -An -tx4; } # FILE NAME
kept="dense1.weight dense1.bias batch_norm1.weight batch_norm1.bias batch_norm1.running_mean batch_norm1.running_var dense2.weight dense2.bias"
for name in $kept; do
    [[ $(tensor base/last.safetensors "$name") ]] || fail "$name is not in the checkpoint"
    [[ $(tensor base/last.safetensors "$name") == "$(tensor new/last.safetensors "$name")" ]] || fail "$name has changed"
done
expect 0 mlc eval new --split train --json
accuracy=$(grep -o '"accuracy":[0-9.]*' "$scratch/out" | cut -d: -f2)
awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.95) }' || fail "accuracy of the new head: $accuracy"

# Frozen layers have no moments and no gradients, and the summary counts their weights.
expect 0 mlc summary new.mdl
says out "not trained" "352"
! grep -q 'adam.m.dense1' new/last.safetensors || fail "a frozen weight has moments"

# The option gives the same bits as the key; a resumed run continues with its own weights.
sed 's/weights = "base"; //' new.mdl >option.mdl
expect 0 mlc train option.mdl --weights base --out option -q
expect 0 mlc train option.mdl --weights base/last.safetensors --set train.epochs=20 --out resumed -q
expect 0 mlc train --resume resumed --set train.epochs=30 -q
for name in dense3.weight dense3.bias; do
    [[ $(tensor new/last.safetensors "$name") == "$(tensor option/last.safetensors "$name")" ]] || fail "--weights: other bits"
    [[ $(tensor new/last.safetensors "$name") == "$(tensor resumed/last.safetensors "$name")" ]] || fail "--resume: other bits"
done

# A frozen random layer changes nothing else: its values depend on the seed alone.
expect 0 mlc train base.mdl --set 'train.freeze="dense2.weight"' --set train.epochs=1 --out partly -q
expect 0 mlc train base.mdl --set 'train.freeze="dense2.weight"' --set train.epochs=2 --out partly2 -q
[[ $(tensor partly/last.safetensors dense2.weight) == "$(tensor partly2/last.safetensors dense2.weight)" ]] || fail "dense2.weight is trained"
[[ $(tensor partly/last.safetensors dense2.bias) != "$(tensor partly2/last.safetensors dense2.bias)" ]] || fail "dense2.bias is not trained"

# Names of layers and of tensors can be frozen.
model turned many.csv "dense(16) |> relu |> dense(4)" 'optimizer = adam(0.01); epochs = 1'
expect 0 mlc train turned.mdl --weights base --map dense3=dense2 --out turned
says err "weights: 4 of 4 tensors taken" "not used: dense2.weight f32[16,16]" "not used: batch_norm1.running_var f32[16]"
expect 0 mlc train turned.mdl --weights base --map dense3.bias=dense2.bias --out turned2
says err "weights: 3 of 4 tensors taken" "keeps its initial values: dense2.weight is f32[4,16] here and f32[16,16] there"

# Weights of another program under its own names, in an archive of NumPy. Its first matrix is that of the first dense layer.
array() { # TENSOR NAME SHAPE: as NAME.npy
    local text="{'descr': '<f4', 'fortran_order': False, 'shape': ($3), }"
    { printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$text" && values base/last.safetensors "$1"; } >"$2.npy"
}
array dense1.weight net.10.weight 16,2 && array dense1.bias net.10.bias 16,
array batch_norm1.weight net.11.weight 16, && array batch_norm1.bias net.11.bias 16,
array batch_norm1.running_mean net.11.running_mean 16, && array batch_norm1.running_var net.11.running_var 16,
array dense2.weight net.9.weight 16,16 && array dense2.bias net.9.bias 16,
array dense3.weight head.weight 4,16 && array dense3.bias head.bias 4,
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n\1\0\0\0\0\0\0\0' "{'descr': '<i8', 'fortran_order': False, 'shape': (), }" >net.11.num_batches_tracked.npy
"$MAKE_DATA" npz torch.npz net.1[01].*.npy net.9.*.npy head.*.npy
expect 0 mlc train base.mdl --weights torch.npz --set 'train.freeze=[dense1, "batch*", dense2, "dense3.weight"]' --out paired
says err "weights: 10 of 10 tensors taken from torch.npz" "by order: net.10 = dense1" "by order: net.9 = dense2" \
    "by order: head = dense3" "by order: net.11 = batch_norm1"
! grep -q "not used\|keeps its initial values" "$scratch/err" || fail "an archive's tensor is not taken"
for name in $kept dense3.weight; do
    [[ $(tensor base/last.safetensors "$name") == "$(tensor paired/last.safetensors "$name")" ]] || fail "$name has other bits"
done
# --map names some of the weights; the others are paired. Weights that do not fit are listed.
expect 0 mlc train base.mdl --weights torch.npz --map net.9=dense2 --map net.10=dense1 --map head.bias=dense3.bias --out named
says err "weights: 9 of 10 tensors taken" "by order: net.11 = batch_norm1" "keeps its initial values: dense3.weight f32[4,16] is not there" \
    "not used: head.weight f32[4,16]"
model wide many.csv "dense(16) |> relu |> dense(5)" 'optimizer = adam(0.01); epochs = 1'
"$MAKE_DATA" npz two.npz net.10.*.npy head.*.npy
expect 0 mlc train wide.mdl --weights two.npz --out wide
says err "weights: 2 of 4 tensors taken" "keeps its initial values: dense2.weight is f32[5,16] here and f32[4,16] there"

# A safetensors file is sorted by name, so layers are paired by name, and 9 is before 10. Halves and doubles become f32.
tensors() { # FILE HEADER: with the bytes on stdin
    { printf "\\x$(printf %02x $((${#2} % 256)))\\x$(printf %02x $((${#2} / 256)))\\0\\0\\0\\0\\0\\0%s" "$2" && cat; } >"$1"
}
cat >tiny.mdl <<END
mdl 1
data { source = csv("many.csv"); field x = columns(source, ["a", "b"]); field y = source.y }
model net(x) -> z { z = x |> dense(1) |> dense(1, bias = false) }
train { loss = mse(z[:, 0], y); optimizer = sgd(0.0); epochs = 1 }
END
half='{"f.10.weight":{"dtype":"F16","shape":[1,1],"data_offsets":[0,2]},"f.9.bias":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]},'
half+='"f.9.weight":{"dtype":"F64","shape":[1,2],"data_offsets":[4,20]}}'
printf '\x00\x3e\x80\xbf\0\0\0\0\0\0\xf8\x3f\x9a\x99\x99\x99\x99\x99\xb9\x3f' | tensors half.safetensors "$half"
expect 0 mlc train tiny.mdl --weights half.safetensors --out half
says err "weights: 3 of 3 tensors taken" "by order: f.9 = dense1" "by order: f.10 = dense2"
[[ $(tensor half/last.safetensors dense1.weight) == *"3fc00000 3dcccccd" ]] || fail "doubles do not become f32"
[[ $(tensor half/last.safetensors dense1.bias) == *"bf800000" ]] || fail "bf16 does not become f32"
[[ $(tensor half/last.safetensors dense2.weight) == *"3fc00000" ]] || fail "f16 does not become f32"

# Names that are no numbers tell no order. Where the shapes differ, they decide; else mlc warns.
named='{"a.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"z.bias":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},'
named+='"z.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}'
printf '\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40' | tensors shapes.safetensors "$named"
expect 0 mlc train tiny.mdl --weights shapes.safetensors --out shapes
says err "weights: 3 of 3 tensors taken" "by order: z = dense1" "by order: a = dense2"
[[ $(tensor shapes/last.safetensors dense1.weight) == *"40400000 40800000" ]] || fail "the shape does not decide"
! grep -q "warning: shapes" "$scratch/err" || fail "a warning without a doubt"
sed 's/dense(1) |> dense(1, bias = false)/dense(2, bias = false) |> dense(2, bias = false)/' tiny.mdl >twin.mdl
for names in body,head fc1,fc2; do
    twins='{"'${names%,*}'.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"'${names#*,}'.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]}}'
    head -c 32 /dev/zero | tensors twins.safetensors "$twins"
    expect 0 mlc train twin.mdl --weights twins.safetensors --out "twins.$names"
    says err "weights: 2 of 2 tensors taken" "by order: ${names%,*} = dense1"
    [[ $(grep -c "warning: twins.safetensors: '${names%,*}' and '${names#*,}' have one shape" "$scratch/err") == $([[ $names == body* ]] && echo 1 || echo 0) ]] ||
        fail "$names: warns wrongly"
done
expect 0 mlc train twin.mdl --weights twins.safetensors --map fc2=dense1 --map fc1=dense2 --out twins.mapped
! grep -q "by order" "$scratch/err" || fail "layers with a map are paired"

# A file of torch.save is a program, so it is refused; an archive may be damaged.
printf 'x' >data.pkl.npy && "$MAKE_DATA" npz net.pt data.pkl.npy
expect 5 mlc train base.mdl --weights net.pt --out bad
says err "'net.pt' was written by torch.save" "safetensors.torch.save_file"
head -c 200 torch.npz >cut.npz
expect 5 mlc train base.mdl --weights cut.npz --out bad
says err "'cut.npz': it is not a ZIP archive, or it is damaged"
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }" >odd.weight.npy
"$MAKE_DATA" npz odd.npz odd.weight.npy
expect 5 mlc train base.mdl --weights odd.npz --out bad
says err "'odd.weight' in 'odd.npz': it is cut short"

# Errors.
expect 2 mlc train new.mdl --map nothing=dense1 --out bad
says err "base/last.safetensors has no tensor or layer 'nothing'"
expect 2 mlc train new.mdl --map dense1=nothing --out bad
says err "the model has no tensor or layer 'nothing'"
expect 2 mlc train new.mdl --map dense1 --out bad
says err "--map takes OLD=NEW, not 'dense1'"
expect 2 mlc train option.mdl --map dense1=dense2 --out bad
says err "--map needs a file"
expect 2 mlc train --resume new --weights base
says err "exclude each other"
expect 5 mlc train new.mdl --weights nowhere --out bad
says err "cannot read 'nowhere'"
expect 5 mlc train new.mdl --weights . --out bad
says err "cannot read './last.safetensors'"
expect 5 mlc train new.mdl --weights many.csv --out bad
says err "not a sound safetensors file"
model other many.csv "dense(5) |> relu |> dense(4)" 'optimizer = adam(0.01)'
expect 5 mlc train other.mdl --weights base --out bad
says err "nothing in 'base/last.safetensors' fits the model by name and shape"
[[ ! -e bad ]] || fail "a failed start left a folder"


# Groups are layers with their own optimizer. A group of all layers equals the optimizer; one with rate 0 changes nothing. A schedule and
# weight decay hold only in their group. If two groups name a weight, the first one counts.
trained() { # NAME TRAIN
    model "$1" few.csv "$body |> dense(2)" "$2; epochs = 3"
    expect 0 mlc train "$1.mdl" --out "$1" -q
}
same_tensors() { # RUN RUN TENSOR...
    local a=$1 b=$2 tensor
    shift 2
    for tensor; do cmp -s <(values "$a/last.safetensors" "$tensor") <(values "$b/last.safetensors" "$tensor") || fail "$tensor of $a and $b differ"; done
}
all=(dense1.weight dense1.bias batch_norm1.scale dense2.weight dense3.weight dense3.bias)
trained plain 'optimizer = adamw(0.01, decay = 0.1)'
trained grouped 'optimizer = sgd(0.3); groups = [["*", adamw(0.01, decay = 0.1)], ["dense1", sgd(1.0)]]'
same_tensors plain grouped "${all[@]}"
trained still 'optimizer = adamw(0.01, decay = 0.1); groups = [[dense1, sgd(0.0)]]'
trained frozen 'optimizer = adamw(0.01, decay = 0.1); freeze = [dense1]'
same_tensors still frozen "${all[@]}"
# the first step of sgd is the rate times the gradient, whatever the others do
model slow few.csv "dense(2)" 'batch = 40; optimizer = sgd(0.25); epochs = 1'
model fast few.csv "dense(2)" 'batch = 40; optimizer = adam(0.5); groups = [["*.bias", sgd(0.25 * 0.5 ** epoch)]]; epochs = 1'
sed -i 's/batch = 16; //' slow.mdl fast.mdl
expect 0 mlc train slow.mdl --out slow -q
expect 0 mlc train fast.mdl --out fast -q
same_tensors slow fast dense1.bias
cmp -s <(values slow/last.safetensors dense1.weight) <(values fast/last.safetensors dense1.weight) && fail "groups change nothing"
expect 0 mlc train --resume grouped --set train.epochs=5 -q
sed 's/epochs = 3/epochs = 5/' grouped.mdl >longer.mdl
expect 0 mlc train longer.mdl --out longer -q
same_tensors grouped longer "${all[@]}"
finish
