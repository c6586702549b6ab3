#!/usr/bin/env bash
# mlc eval and mlc predict on files: the rows of the test split, as a file, give the numbers of the test split.
source "$(dirname "$0")/common.sh"
numbers() { grep -o '"loss".*' "$scratch/out"; } # of eval --json: without names of the data

# tables: classes and numbers, text among the labels
awk 'BEGIN { srand(2); print "a,b,kind,price"; for (i = 0; i < 150; i++) { a = rand(); b = rand()
     printf "%.3f,%.3f,%s,%.2f\n", a, b, (a + b + 0.2 * rand() > 1.1 ? "much" : a > b ? "some" : "little"), 100 * a + 10 * b } }' >table.csv
cat >table.mdl <<'END2'
mdl 1
data {
    source = csv("table.csv")
    field x = source |> columns(["a", "b"]) |> standardize
    field kind = source.kind
    field price = source |> columns("price") |> standardize
    test = 50
}
model m(x) -> (logits, guess) { h = x |> dense(8) |> tanh; logits = dense(h, 3); guess = dense(h, 1) }
train {
    loss = cross_entropy(logits, kind) + mse(guess, price)
    optimizer = adam(0.02); batch = 16; epochs = 4
    metrics = [accuracy(logits, kind), rmse(guess, price), f1(logits, kind)]
}
END2
expect 0 mlc train table.mdl --out run -q
expect 0 mlc predict run --csv rows.csv
{ sed 1q table.csv; awk -F, 'NR > 1 { print $3 "p" }' rows.csv | sed -n -f - table.csv; } >held.csv
[[ $(wc -l <held.csv) == 51 ]] || fail "the test rows are $(wc -l <held.csv) lines"
expect 0 mlc eval run --confusion --json
numbers >split
expect 0 mlc eval run held.csv --confusion --json
says out '"files":["held.csv"],"rows":50'
numbers | same /dev/stdin split
expect 0 mlc eval run held.csv --confusion
says out "held.csv, 50 rows" "accuracy" "errors in the units of the data" "price" "little"
cut -d, -f1-3 held.csv >less.csv
expect 4 mlc eval run less.csv
says err "'less.csv' has no column 'price'"
sed 's/,much,/,lots,/' held.csv >other.csv
expect 4 mlc eval run other.csv
says err "such as 'lots'" "line "
expect 2 mlc eval run held.csv --split train
says err "--split chooses rows of the model's data, not of files"
expect 2 mlc eval run held.csv less.csv
expect 4 mlc eval run nothing.csv

# arrays: a file for each field, or an archive of them
small_model
expect 0 mlc train small.mdl --out small -q
expect 0 mlc eval small --confusion --json
numbers >split
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }" && cat; }
tail -c +17 test_images | npy '|u1' '(203, 12, 12)' >image.npy
tail -c +9 test_labels | npy '|u1' '(203,)' >label.npy
expect 0 mlc eval small image.npy label.npy --confusion --json
numbers | same /dev/stdin split
"$MAKE_DATA" npz both.npz image.npy label.npy
expect 0 mlc eval small both.npz --confusion --json
numbers | same /dev/stdin split
expect 2 mlc eval small image.npy
says err "2 arrays are needed, not 1: 'image' and those that the loss compares it with"
expect 4 mlc eval small label.npy image.npy
head -c 100 label.npy >cut.npy
expect 4 mlc eval small image.npy cut.npy
expect 0 mlc predict small image.npy --json
[[ $(wc -l <"$scratch/out") == 203 ]] || fail "203 images give another number of lines"

# Folders of pictures: rows in the order of their paths, with the folder as the class.
mkdir -p shots/3 shots/7 flat
class() { mlc predict small --json | grep "\"true\":$1," | head -n 1 | grep -o '"index":[0-9]*' | cut -d: -f2; }
three=$(class 3) seven=$(class 7)
picture() { # INDEX FILE: a PGM would be no PNG; mlc draws the image, and a net that reads it again sees it
    mlc predict small --index "$1" --png "$2" >"$scratch/drawn" 2>&1
}
picture "$three" shots/3/b.png && picture "$seven" shots/7/a.png && picture "$three" shots/3/a.png
cp shots/3/a.png flat/10.png && cp shots/7/a.png flat/2.png && echo text >flat/notes.txt && echo hidden >flat/.hidden
expect 0 mlc predict small shots --csv - -q
cut -d, -f1,2 "$scratch/out" >names
same names - <<'END2'
file,true
shots/3/a.png,3
shots/3/b.png,3
shots/7/a.png,7
END2
expect 0 mlc predict small flat/ --csv - -q
says err "flat/: 1 file is not a picture and left out, such as flat/notes.txt"
cut -d, -f1 "$scratch/out" >names
same names - <<'END2'
file
flat/10.png
flat/2.png
END2
expect 0 mlc eval small shots --json -q
says out '"files":["shots"],"rows":3,"loss":'
expect 4 mlc eval small flat
says err "the class of 'flat/10.png' is not known"
mv shots/7 shots/seven
expect 4 mlc eval small shots
says err "the folder of 'shots/seven/a.png' is not named after a class: 'seven'"
expect 0 mlc predict small shots -q
! grep -q "true" "$scratch/out" || fail "a class is told of folders that are none"
mkdir nothing
expect 4 mlc predict small nothing
says err "no pictures are in the folder 'nothing'"
expect 2 mlc predict small shots image.npy
says err "of another kind"

long=a_folder_of_pictures_with_a_name_of_more_than_forty_letters
mkdir $long && cp flat/2.png $long/2.png && cp flat/10.png $long/10.png
expect 0 mlc predict small $long -q
says out "$long/10.png" "$long/2.png"

# The destination of the answer.
expect 0 mlc predict run held.csv --out answer.csv
expect 0 mlc predict run held.csv --csv more.csv
same answer.csv more.csv
expect 0 mlc predict run held.csv --json
cp "$scratch/out" lines
expect 0 mlc predict run held.csv --json --out answer.json
same answer.json lines
[[ ! -s $scratch/out ]] || fail "--out prints on stdout too"
expect 0 mlc predict run held.csv --out answer.txt
grep -q "predicted price" answer.txt || fail "no table in answer.txt"
expect 5 mlc predict run held.csv --csv nowhere/rows.csv
says err "cannot write 'nowhere/rows.csv'"
finish
