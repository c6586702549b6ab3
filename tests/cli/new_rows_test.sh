#!/usr/bin/env bash
# New rows for a trained network, without the data it was trained on: tables, arrays, images in folders.
source "$(dirname "$0")/common.sh"

awk 'BEGIN { print "kind,a,b,y"; for (i = 0; i < 120; i++) { a = i * 37 % 101 / 10; b = i * 53 % 97 / 10;
    printf "%s,%s,%s,%s\n", (a > b ? "more" : "less"), a, i % 9 ? b : "", 3 * a - 2 * b } }' >table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = source |> columns(["a", "b"]) |> impute("median") |> standardize
    field kind = source.kind
    test = 0.2
}
model compare(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, kind); optimizer = adam(0.1); batch = 32; epochs = 30; metrics = [accuracy(logits, kind)] }
END
expect 0 mlc train table.mdl --out run -q
rm table.csv

# Other columns, another order, a missing cell; known labels are printed.
printf 'b,note,a\n1.5,x,9\n9,y,\n0,z,9.5\n' >new.csv
expect 0 mlc predict run new.csv
says out "predicted" "more"
! grep -q "true\|right" "$scratch/out" || fail "labels that are not there are shown"
expect 0 mlc predict run new.csv --json
says out '"index":2' '"class":"more"' '"predicted":1'
printf 'b,kind,a\n1.5,more,9\n9,less,\n0,less,9.5\n' >labelled.csv
expect 0 mlc predict run labelled.csv
says out "true" "wrong" "2 of 3 correct"
gzip -k labelled.csv
expect 0 mlc predict run labelled.csv.gz
printf 'a,note\n1,2\n' >less.csv
expect 4 mlc predict run less.csv
says err "has no column 'b'"
printf 'A,B.\n1,2\n' >less.csv
expect 4 mlc predict run less.csv
says err "'less.csv' has no column 'a', which the network reads" "help: did you mean 'A'?"
printf 'a,b\n1,2\nx,3\n' >text.csv
expect 4 mlc predict run text.csv
says err "line 3: column 'a' has 'x'"
expect 2 mlc predict run new.csv less.csv
says err "only images can be several files"
expect 2 mlc predict run new.csv --index 1
expect 4 mlc predict run none.csv
expect 4 mlc eval run
says err "no data"

# numbers by the name of the output
cat >price.mdl <<'END'
mdl 1
data {
    source = csv("price.csv")
    field x = concat([source |> columns("kind") |> one_hot, source |> columns("size") |> standardize])
    field y = source |> columns("price")
}
model m(x) -> (price, double) { price = dense(x, 1); double = price * 2 }
train { loss = mse(price, y); optimizer = adam(0.01); batch = 2; epochs = 2 }
END
printf 'kind,size,price\nflat,1,2\nhouse,2,3\nflat,4,1\n' >price.csv
expect 0 mlc train price.mdl --out price -q
printf 'size,kind\n1,flat\n2.5,villa\n,flat\n' >more.csv
expect 6 mlc predict price more.csv
says out "predicted price" "double"
says err "1 row has a category that the network was not trained on, such as 'villa'"
expect 6 mlc predict price more.csv --json
says out '"price":{"output":[' '"double":['

# arrays
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }" && cat; }
small_model
expect 0 mlc train small.mdl --out small -q
head -c 288 /dev/zero | npy '|u1' '(2, 12, 12)' >two.npy
expect 0 mlc predict small two.npy --json
[[ $(wc -l <"$scratch/out") == 2 ]] || fail "two rows give another number of lines"
head -c 288 /dev/zero | npy '<i2' '(12, 12)' >one.npy
expect 0 mlc predict small one.npy --json
[[ $(wc -l <"$scratch/out") == 1 ]] || fail "one row gives another number of lines"
head -c 300 /dev/zero | npy '|u1' '(3, 100)' >wrong.npy
expect 4 mlc predict small wrong.npy
says err "'wrong.npy' is u8[3,100], but the network reads rows of u8[1,12,12]"
expect 2 mlc predict small new.csv
says err "not trained on a table"

# archives: an array for each field that the network reads
archive() { base64 -d >"$1"; }
archive both.npz <<<UEsDBBQAAAAIAAAAIQAXR8FWXgAAAKAAAAAFAAAAYS5ucHmb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RomOgpGmjoKtQpkAy4GhgZ7BgYGByAC4gYgXgDEB4D4ARAzOAIAUEsDBBQAAAAIAAAAIQB34A+sTgAAAIgAAAAHAAAAaWRzLm5weZvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6CkaaOgq1CmQDLgZGJmZmJkYGAFBLAwQUAAAACAAAACEAXQH66kgAAACEAAAABQAAAHkubnB5m+wX6hsQychQxlCtnpJanFykbqWgXlNqqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaJjqaOgq1ChQALgZGRgYAUEsBAhQDFAAAAAgAAAAhABdHwVZeAAAAoAAAAAUAAAAAAAAAAAAAAIABAAAAAGEubnB5UEsBAhQDFAAAAAgAAAAhAHfgD6xOAAAAiAAAAAcAAAAAAAAAAAAAAIABgQAAAGlkcy5ucHlQSwECFAMUAAAACAAAACEAXQH66kgAAACEAAAABQAAAAAAAAAAAAAAgAH0AAAAeS5ucHlQSwUGAAAAAAMAAwCbAAAAXwEAAAAA
archive three.npz <<<UEsDBBQAAAAIAAAAIQB/+ViwTAAAAIYAAAAHAAAAaWRzLm5weZvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkaaOgq1CmQDLgZGJmZmJgBQSwMEFAAAAAgAAAAhAP+/QjVYAAAAmAAAAAUAAABhLm5weZvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkaaOgq1CmQDLgaGBnsGBgYHIALiBiBeAMQHHABQSwECFAMUAAAACAAAACEAf/lYsEwAAACGAAAABwAAAAAAAAAAAAAAgAEAAAAAaWRzLm5weVBLAQIUAxQAAAAIAAAAIQD/v0I1WAAAAJgAAAAFAAAAAAAAAAAAAACAAXEAAABhLm5weVBLBQYAAAAAAgACAGgAAADsAAAAAAA=
archive outside.npz <<<UEsDBBQAAAAIAAAAIQBCywg2SgAAAIQAAAAHAAAAaWRzLm5weZvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgZGJk4AUEsDBBQAAAAIAAAAIQBO+yB1UwAAAJAAAAAFAAAAYS5ucHmb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgpGmjoKtQpkAy4GhgZ7BgYGByAC4gYHAFBLAQIUAxQAAAAIAAAAIQBCywg2SgAAAIQAAAAHAAAAAAAAAAAAAACAAQAAAABpZHMubnB5UEsBAhQDFAAAAAgAAAAhAE77IHVTAAAAkAAAAAUAAAAAAAAAAAAAAIABbwAAAGEubnB5UEsFBgAAAAACAAIAaAAAAOUAAAAAAA==
archive less.npz <<<UEsDBBQAAAAIAAAAIQBO+yB1UwAAAJAAAAAFAAAAYS5ucHmb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgpGmjoKtQpkAy4GhgZ7BgYGByAC4gYHAFBLAQIUAxQAAAAIAAAAIQBO+yB1UwAAAJAAAAAFAAAAAAAAAAAAAACAAQAAAABhLm5weVBLBQYAAAAAAQABADMAAAB2AAAAAAA=
cat >both.mdl <<'END'
mdl 1
data { source = npz("both.npz"); field a = source.a; field ids = source.ids; field y = source.y }
model m(a, ids) -> logits { logits = concat([a, mean(embedding(ids, 4, 3), axis = 1)], axis = 1) |> dense(2) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.01); batch = 3; epochs = 1 }
END
expect 0 mlc train both.mdl --out both -q
expect 0 mlc predict both --json
sed 3q "$scratch/out" | sed 's/"file":"[^"]*",//' >with_labels
expect 0 mlc predict both both.npz --json
[[ $(wc -l <"$scratch/out") == 4 ]] || fail "an archive with labels has other rows"
sed 3q "$scratch/out" >labelled
same labelled with_labels
sed 's/"true":[01],//' with_labels >rows
expect 0 mlc predict both three.npz --json
same "$scratch/out" rows
expect 4 mlc predict both outside.npz
says err "'ids' has class 9 in row 1 of the data, element [1]"
expect 4 mlc predict both less.npz
says err "'less.npz' has no array 'ids', which the network reads"
sed 's/ids\.npy/idz.npy/g' three.npz >near.npz
expect 4 mlc predict both near.npz
says err "'near.npz' has no array 'ids', which the network reads" "help: did you mean 'idz'?"
expect 2 mlc predict both one.npy
says err "reads 2 inputs"

# Folders of grey images, made by drawing what a network reads.
expect 0 mlc predict small --index 0 --png first.png
expect 0 mlc predict small --index 1 --png second.png
mkdir -p pictures/one pictures/two
cp first.png pictures/one/1.png && cp first.png pictures/one/2.png && cp second.png pictures/two/1.png && cp second.png pictures/two/2.png
cat >pictures.mdl <<'END'
mdl 1
data { source = images("pictures", height = 16, width = 20); field image = source.image / 255; field label = source.label }
model m(image) -> logits { logits = image |> flatten |> dense(2) }
train { loss = cross_entropy(logits, label); optimizer = adam(0.001); batch = 2; epochs = 300 }
END
expect 0 mlc train pictures.mdl --out seen -q
mv pictures elsewhere
expect 0 mlc predict seen elsewhere/one/1.png elsewhere/two/2.png
says out "elsewhere/one/1.png  one" "elsewhere/two/2.png  two"
says err "converted to 20x16"
! grep -q "colour\|grey" "$scratch/err" || fail "a colour that stays is said to be changed"
expect 0 mlc predict small first.png --invert no --json
says err "not inverted (though its background is light)"
expect 0 mlc predict small first.png --invert yes -q
[[ ! -s $scratch/err ]] || fail "--quiet is not quiet"

# Conversions of a picture are reported; a picture that the network can read directly gives no note.
base64 -d >fits.png <<<iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAAAAABzHgM7AAAADElEQVR42mNgGLwAAACcAAEoPOGlAAAAAElFTkSuQmCC
base64 -d >colour.png <<<iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAIAAADZF8uwAAAADklEQVR42mNgGAVDFQAAAbwAASVcUIEAAAAASUVORK5CYII=
base64 -d >little.png <<<iVBORw0KGgoAAAANSUhEUgAAAAYAAAAGCAAAAADFp7CUAAAADElEQVR42mNgIBYAAAAqAAFcHKfvAAAAAElFTkSuQmCC
base64 -d >white.png <<<iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAAAAABzHgM7AAAAEUlEQVR42mP8z4AATAyDigMAolEBF9zdXGUAAAAASUVORK5CYII=
expect 0 mlc predict small fits.png colour.png little.png white.png
cat >told <<'END'
colour.png: colour, converted to grey
little.png: 6x6, converted to 12x12
white.png: inverted (its background is light)
END
same "$scratch/err" told
expect 0 mlc predict small white.png --invert no
[[ ! -s $scratch/err ]] || fail "something is said of a picture that is taken as it is"
expect 0 mlc predict seen little.png
says err "little.png: 6x6 grey, converted to 20x16 colour"

# The label is what the loss compares with, even if the network reads another column of categories. Computed labels are not printed.
cat >towns.mdl <<'END'
mdl 1
data { source = csv("towns.csv"); field town = source.town; field bought = source.bought; field often = fma(source.count, 1, 0) > 2 }
model m(town) -> logits { logits = town |> embedding(3, 4) |> dense(2) }
train { loss = cross_entropy(logits, bought); optimizer = adam(0.01); epochs = 1 }
END
printf 'town,bought,count\nRome,yes,1\nOslo,no,2\nParis,no,3\nRome,yes,9\n' >towns.csv
expect 0 mlc train towns.mdl --out towns -q
expect 0 mlc predict towns
says out "yes" "no"
! grep -q "Rome\|Oslo\|Paris" "$scratch/out" || fail "the column that the network reads is taken for the label"
printf 'town\nRome\nBerlin\n' >elsewhere.csv
expect 4 mlc predict towns elsewhere.csv
says err "such as 'Berlin'" "'town' is 'Berlin' in line 3 of 'elsewhere.csv', which no training row has"
sed 's/bought); opt/often); opt/' towns.mdl >often.mdl
expect 0 mlc train often.mdl --out often -q
expect 0 mlc predict often
says out "predicted" "probability"
! grep -q "true" "$scratch/out" || fail "a computed label is told"
expect 2 mlc eval often --split train --confusion
says err "the labels of this model are computed"
finish
