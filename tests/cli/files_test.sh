#!/usr/bin/env bash
# Training and test rows in separate files: tables without a line of names (digits, adults), archives, arrays, folders.
source "$(dirname "$0")/common.sh"

# digits: 8 x 8 pixels from 0 to 16 and the digit, no names, one file to train on and one to test with
digits() {
    awk -v rows="$1" -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < rows; i++) { d = int(rand() * 10);
        for (p = 0; p < 64; p++) { v = int((p * 7 + d * 13) % 17 + rand() * 3); printf("%d,", v > 16 ? 16 : v) } print d } }'
}
digits 400 1 >digits.tra
digits 100 2 >digits.tes
cat >digits.mdl <<'END'
mdl 1
data {
    source = csv("digits.tra", test = "digits.tes", header = false)
    field pixels = (source |> columns(0..63)) / 16
    field digit  = source.column64
    valid = last(0.1)
}
model net(pixels) -> logits { logits = pixels |> dense(32) |> relu |> dense(10) }
train {
    loss      = cross_entropy(logits, digit)
    optimizer = adam(0.01)
    epochs    = 5
    metrics   = [accuracy(logits, digit)]
}
END
expect 0 mlc data digits.mdl --split test --rows 1
says out "360 train rows, 40 valid, 100 test" "fields of the source, 100 test rows"
expect 0 mlc train digits.mdl --out digits -q --expect 'accuracy>=0.9'
expect 0 mlc eval digits
says out "test split, 100 rows"
sed -i 50q digits.tes
expect 5 mlc train --resume digits -q --set train.epochs=6

# adults: spaces between cells, ? for missing, and a test file that begins with a remark
awk 'BEGIN { for (i = 0; i < 200; i++) { a = 20 + i * 37 % 50; w = i % 3 ? "Private" : i % 2 ? "?" : "State-gov";
    printf("%d, %s, %d, %s\n", a, w, i * 53 % 60, a > 45 ? ">50K" : "<=50K") } }' >adult.data
{ echo '|1x3 Cross validator'; sed -n '1,50p' adult.data; } >adult.test
cat >adult.mdl <<'END'
mdl 1
data {
    source = csv("adult.data", test = "adult.test", test_skip = 1, header = false, missing = "?")
    field x = concat([source |> columns(["column0", "column2"]) |> standardize, source |> columns("column1") |> one_hot])
    field y = source.column3
}
model m(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.1); epochs = 20; metrics = [accuracy(logits, y)] }
END
expect 0 mlc train adult.mdl --out adult -q --expect 'accuracy>=0.95'
expect 0 mlc data adult.mdl
says out "200 train rows, 0 valid, 50 test" "50 test rows are in train too, such as line 2 of 'adult.test', which equals line 1 of 'adult.data'"
cp adult.data new.csv
expect 0 mlc predict adult new.csv
expect 0 mlc eval adult # the test split, and its file by name: the remark before it is left out there too
sed 1d "$scratch/out" >split
expect 0 mlc eval adult adult.test
says out "adult.test, 50 rows"
sed 1d "$scratch/out" | diff - split || fail "adult.test is evaluated otherwise than the test split"
expect 0 mlc predict adult adult.test
says out "     49    51  "
{ echo remark; cat adult.test; } >two_remarks.csv
expect 4 mlc eval adult two_remarks.csv
says err "'two_remarks.csv': line 1: column 'column0' has 'remark'"
expect 3 mlc check adult.mdl --set data.test=0.1

# An archive like those of MedMNIST: three splits, labels in a column, colours last.
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': $1, }"; cat; }
"$MAKE_DATA" . 600 200
tail -c +17 images | npy '(600, 6, 8, 3)' >all_images.npy
tail -c +9 labels | npy '(600, 1)' >all_labels.npy
for split in train:0:400 val:400:200; do
    IFS=: read -r name first count <<<"$split"
    tail -c +$((17 + first * 144)) images | head -c $((count * 144)) | npy "($count, 6, 8, 3)" >${name}_images.npy
    tail -c +$((9 + first)) labels | head -c $count | npy "($count, 1)" >${name}_labels.npy
done
tail -c +17 test_images | npy '(200, 6, 8, 3)' >test_images.npy
tail -c +9 test_labels | npy '(200, 1)' >test_labels.npy
"$MAKE_DATA" npz med.npz {train,val,test}_{images,labels}.npy
cat >med.mdl <<'END'
mdl 1
data {
    source = npz("med.npz")
    field image = permute(source.images, [0, 3, 1, 2]) / 255
    field label = source.labels
}
model net(image) -> logits { logits = image |> flatten |> dense(32) |> relu |> dense(10) }
train {
    loss      = cross_entropy(logits, label)
    optimizer = adam(0.01)
    epochs    = 8
    metrics   = [accuracy(logits, label)]
}
END
expect 0 mlc train med.mdl --out med -q --expect 'accuracy>=0.9'
expect 0 mlc data med.mdl --rows 0
says out "400 train rows, 200 valid, 200 test"
expect 0 mlc eval med --confusion
says out "test split, 200 rows"
expect 0 mlc predict med --json
grep -q '"true":' "$scratch/out" || fail "predict does not know the labels of [N, 1]"

# The same bits from two archives, from a list of files, and with labels taken out of their column.
"$MAKE_DATA" npz images.npz {train,val,test}_images.npy
"$MAKE_DATA" npz labels.npz {train,val,test}_labels.npy
sed 's/npz("med.npz")/npz(["images.npz", "labels.npz"])/' med.mdl >two.mdl
sed 's/npz("med.npz")/npy(["train_images.npy", "train_labels.npy", "val_images.npy", "val_labels.npy", "test_images.npy", "test_labels.npy"])/' med.mdl >list.mdl
sed 's/source.labels/source.labels[:, 0]/' med.mdl >taken.mdl
sed 's/npz("med.npz")/npy("train_images.npy", "train_labels.npy", valid_x = "val_images.npy", valid_y = "val_labels.npy", test_x = "test_images.npy", test_y = "test_labels.npy")/
     s/source.images/source.x/; s/source.labels/source.y/' med.mdl >xy.mdl
weights() { sed 's/"event":"start".*//' "$1/metrics.jsonl" | grep -o '"[a-z_]*_loss":[^,]*\|"[a-z]*_accuracy":[^,]*' >"$1.numbers"; }
weights med
for other in two list taken xy; do
    expect 0 mlc train $other.mdl --out $other -q
    weights $other
    there $other.numbers
    same med.numbers $other.numbers
    expect 0 mlc eval $other --confusion
done

# Archives whose only array has no name: the field is named after the file.
for split in train val test; do
    for what in images labels; do
        cp ${split}_$what.npy arr_0.npy
        "$MAKE_DATA" npz ${split}_$what.npz arr_0.npy
    done
done
sed 's/npz("med.npz")/npz(["train_images.npz", "train_labels.npz", "val_images.npz", "val_labels.npz", "test_images.npz", "test_labels.npz"])/' med.mdl >unnamed.mdl
expect 0 mlc train unnamed.mdl --out unnamed -q
weights unnamed
same med.numbers unnamed.numbers

# grey pictures, [N, height, width], are drawn
tail -c +17 images | npy '(600, 12, 12)' >images.npy
tail -c +9 labels | npy '(600,)' >labels.npy
"$MAKE_DATA" npz grey.npz images.npy
"$MAKE_DATA" npz classes.npz labels.npy
sed 's/npz("med.npz")/npz(["grey.npz", "classes.npz"])/; s/permute(source.images, .*)/source.images/; s/field label/test = last(100)\n    &/' med.mdl >grey.mdl
expect 0 mlc train grey.mdl --out grey -q --expect 'accuracy>=0.9'
expect 0 mlc predict grey --png grid.png
there grid.png

# Files that do not fit together.
"$MAKE_DATA" npz both.npz train_images.npy
"$MAKE_DATA" npz odd.npz train_labels.npy val_images.npy
"$MAKE_DATA" npz alone.npz test_images.npy
for wrong in '["med.npz", "both.npz"]:would be the same field as' '["both.npz", "odd.npz"]:there are no validation rows of' \
             '"alone.npz":there are no training rows of' '[]:must be the name of a file, or a list' '[1]:must be the name of a file' '3:must be the name'; do
    sed "s/npz(\"med.npz\")/npz(${wrong%:*})/" med.mdl >wrong.mdl
    mlc check wrong.mdl >out 2>&1 && fail "accepted: $wrong"
    grep -qF "${wrong##*:}" out || { fail "$wrong"; cat out; }
done

# Validation pictures in another folder.
mkdir -p pictures/{train,val,test}/{dark,light}
dark=iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADElEQVR42mNg+A+EAAYAAf+tLDclAAAAAElFTkSuQmCC
for place in train val test; do
    for kind in dark light; do base64 -d <<<$dark >pictures/$place/$kind/1.png; done
done
cat >pictures.mdl <<'END'
mdl 1
data { source = images("pictures/train", valid = "pictures/val", test = "pictures/test"); field x = source.image / 255; field y = source.label }
model m(x) -> logits { logits = x |> flatten |> dense(2) }
train { loss = cross_entropy(logits, y); optimizer = sgd(0.1); epochs = 1 }
END
expect 0 mlc data pictures.mdl --split valid
says out "2 train rows, 2 valid, 2 test" "pictures/val/dark/1.png, label 0 (dark)"
# IDX files with validation rows: if they are the test files, they give the same numbers; packed or not, the bits are the same.
small_model
sed -i 's/test_images = /valid_images = "test_images", valid_labels = "test_labels", test_images = /' small.mdl
expect 0 mlc train small.mdl --out idx -q
expect 0 mlc eval idx --split valid --json
sed 's/"split":"valid"//' "$scratch/out" >valid.json
expect 0 mlc eval idx --split test --json
sed 's/"split":"test"//' "$scratch/out" | same /dev/stdin valid.json
expect 0 mlc data small.mdl --split valid --json
says out '"rows":{"train":610,"valid":203,"test":203}' '"first_rows":[{"file":"test_images","row":0'
gzip -k images test_labels
sed 's/"images"/"images.gz"/; s/test_labels = "test_labels"/test_labels = "test_labels.gz"/' small.mdl >packed.mdl
expect 0 mlc train packed.mdl --out packed_idx -q
cmp <(tail -c 20000 idx/last.safetensors) <(tail -c 20000 packed_idx/last.safetensors) || fail "weights differ"
sed 's/valid_labels = "test_labels", //' small.mdl >unlabelled.mdl
expect 3 mlc check unlabelled.mdl
says err "idx() needs labels for the training images and for the validation images, or for neither"
sed 's/valid_labels = "test_labels"/valid_labels = "labels"/' small.mdl >other.mdl
expect 4 mlc check other.mdl
says err "holds 610 labels, but 'test_images' holds 203 images"
{ head -c 8 test_labels; printf '\377'; tail -c +10 test_labels; } >wrong_labels
sed 's/valid_labels = "test_labels"/valid_labels = "wrong_labels"/' small.mdl >wrong.mdl
expect 4 mlc train wrong.mdl --out wrong -q
says err "'wrong_labels' has label 255 in row 0, expected 0 to 9"

finish
