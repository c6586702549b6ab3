#!/usr/bin/env bash
# classes(...): labels and codes that are whole numbers with gaps, or negative, or large. Answers show them by their numbers, or by the
# names that the model gives.
source "$(dirname "$0")/common.sh"

# Class k of 0..3 has a = k and b = -k; the other columns number the classes in other ways.
awk -v OFS=, 'BEGIN {
    split("3 4 5 9", lane); split("5000000000 5000000001 5000000002 5000000009", long)
    print "a,b,lane,from_one,ten,long,side"
    for (i = 0; i < 80; i++) {
        k = i % 4; wiggle = (i * 7 % 11 - 5) / 40
        print k + wiggle, -k - wiggle, lane[k + 1], k + 1, k * 10, long[k + 1], k < 2 ? -1 : 1
    }
}' >lanes.csv

# model NAME LABEL CLASSES [FIELDS]
model() {
    cat >"$1.mdl" <<END_OF_MODEL
mdl 1
data {
    source = csv("${source_file-lanes.csv}")
    field x = source |> columns(["a", "b"]) |> standardize
    field y = $2
    ${4-}
    test = ${held_out-0.25}
}
model m(x) -> logits { logits = dense(x, $3) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.1); epochs = 30; metrics = [accuracy(logits, y)] }
END_OF_MODEL
}

# Labels with gaps keep their numbers.
model lanes 'classes(source.lane)' 4
expect 0 mlc train lanes.mdl --out lanes -q
says out "test accuracy 100.00 %"
expect 0 mlc eval lanes --confusion
says out "true \\ predicted         3     4     5     9     recall" "  9                      .     .     ."
expect 0 mlc eval lanes --confusion --json
says out '"classes":["3","4","5","9"]'
expect 0 mlc predict lanes --json
says out '"class":"9"' '"class":"3"'
expect 0 mlc predict lanes --csv -
says out "index,row,line,true,predicted,probability,p(3),p(4),p(5),p(9)" ",9,9,"
expect 0 mlc data lanes.mdl
says out "4 classes" "classes of 'classes(lane)', the label" "      3  9 "
expect 0 mlc eval lanes --confusion --png lanes.png
there lanes.png

# New rows with labels are scored, and rows without are predicted. A class that was not in the training is unknown.
printf 'b,a,lane\n-3,3,9\n0,0,3\n' >new.csv
expect 0 mlc eval lanes new.csv --confusion
says out "(standard error; 2 of 2)"
expect 0 mlc predict lanes new.csv --csv -
says out "0,2,9,9," "1,3,3,3,"
printf 'a,b\n2,-2\n' >unlabelled.csv
expect 0 mlc predict lanes unlabelled.csv --csv -
says out "0,2,5,"
printf 'a,b,lane\n2,-2,7\n' >other.csv
expect 4 mlc eval lanes other.csv
says err "'lane' is '7' in line 2 of 'other.csv', which no training row has" "the training rows have '3', '4', '5', '9'"

# A run keeps its classes when it is resumed, and when the file has other classes now.
expect 0 mlc train lanes.mdl --out whole -q --set train.epochs=4
expect 0 mlc train lanes.mdl --out part -q --set train.epochs=2
expect 0 mlc train --resume part -q --set train.epochs=4
same whole/last.safetensors part/last.safetensors

# Labels from 1, with gaps of ten, beyond 32 bits, computed ones, comparisons.
for label in from_one ten long; do
    model "$label" "classes(source.$label)" 4
    expect 0 mlc train "$label.mdl" --out "$label" -q
    says out "test accuracy 100.00 %"
done
expect 0 mlc predict long --csv -
says out "p(5000000000)" ",5000000009,5000000009,"
model computed 'classes(source.long % 1000)' 4
expect 0 mlc data computed.mdl
says out "classes of 'classes(long % 1000)', the label"
model compared 'classes(source.a > 1.5, names = ["low", "high"])' 2
expect 0 mlc train compared.mdl --out compared -q
expect 0 mlc predict compared --csv -
says out "p(low),p(high)" ",high,high,"

# Names, in ascending order of the numbers.
model side 'classes(source.side, names = ["left", "it'\''s \"right\""])' 2
expect 0 mlc train side.mdl --out side -q
expect 0 mlc eval side lanes.csv --confusion
says out "  0 left                40     ." "  1 it's \"right\""
expect 0 mlc predict side new.csv --json
says out '"class":"left"'

# The width of one_hot is known, and each column of a list has its own classes.
model wide 'classes(source.lane)' 4 'field codes = one_hot(source |> columns(["ten", "side"]) |> classes)
    field one = one_hot(classes(source.ten))'
expect 0 mlc data wide.mdl --rows 1
says out "f32[N, 6]" "f32[N, 4]" "classes of 'classes(side)'"

# The state one row later, from the states in two rows: the classes are those of the column.
cat >states.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = csv("lanes.csv")
    field past = windows(classes(source.ten), 2)
    field next = ahead(classes(source.ten), 1)
    test = last(0.25)
}
model m(past) -> logits { logits = past |> embedding(4, 3) |> flatten |> dense(4) }
train { loss = cross_entropy(logits, next); optimizer = adam(0.1); batch = 16; epochs = 20; metrics = [accuracy(logits, next)] }
END_OF_MODEL
expect 0 mlc train states.mdl --out states -q
says out "test accuracy 100.00 %"
expect 0 mlc predict states lanes.csv --csv -
says out "p(0),p(10),p(20),p(30)" ",20,"

# Two outputs with different classes.
cat >both.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = csv("lanes.csv")
    field x = source |> columns(["a", "b"]) |> standardize
    field lane = classes(source.lane)
    field side = classes(source.side, names = ["left", "right"])
    test = 0.25
}
model m(x) -> (p, q) { p = dense(x, 4); q = dense(x, 2) }
train { loss = cross_entropy(p, lane) + cross_entropy(q, side); optimizer = adam(0.1); epochs = 30 }
END_OF_MODEL
expect 0 mlc train both.mdl --out both -q
expect 0 mlc eval both --confusion
says out "p, compared with 'classes(lane)':" "  1 right"
expect 0 mlc predict both --csv -
says out "p.predicted" "p.p(9)" "q.p(left)"

# A missing label, and one that only test rows have, are errors; for a feature the value is unknown.
printf 'a,b,lane\n0,0,3\n1,1,\n2,2,4\n3,3,3\n' >gaps.csv
source_file=gaps.csv held_out='last(1)' model gaps 'classes(source.lane)' 2
expect 4 mlc train gaps.mdl --out gaps -q
says err "'lane' is missing in line 3 of 'gaps.csv'" 'drop_missing = "lane"'
printf 'a,b,lane\n0,0,3\n1,1,4\n2,2,3\n3,3,8\n' >late.csv
source_file=late.csv held_out='last(1)' model late 'classes(source.lane)' 2
expect 4 mlc train late.mdl --out late -q
says err "'lane' is '8' in line 5 of 'late.csv', which no training row has"
source_file=late.csv held_out='last(1)' model feature 'int(source.a > 0.5)' 2 'field z = one_hot(classes(source.lane))'
expect 0 mlc data feature.mdl
says out "unseen: 'classes(lane)': 1 held-out row has a category that no training row has, such as '8'"

# Arrays of NumPy, whose labels are numbers too.
npy() { printf "\x93NUMPY\1\0\x76\0%-117s\n" "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; }
{ npy '|u1' '12, 2' && for i in 0 1 2 0 1 2 0 1 2 0 1 2; do printf "\\x0$i\\x0$((2 - i))"; done; } >x.npy
{ npy '|u1' '12,' && for i in 0 1 2 0 1 2 0 1 2 0 1 2; do printf "\\x$((i * i + 2))0"; done; } >y.npy
cat >arrays.mdl <<'END_OF_MODEL'
mdl 1
data { source = npy("x.npy", "y.npy"); field x = source.x / 1.0; field y = classes(source.y, names = ["cat", "dog", "owl"]) }
model m(x) -> logits { logits = dense(x, 3) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.1); batch = 4; epochs = 20; metrics = [accuracy(logits, y)] }
END_OF_MODEL
expect 0 mlc train arrays.mdl --out arrays -q
expect 0 mlc eval arrays x.npy y.npy --confusion
says out "(standard error; 12 of 12)" "  2 owl"
expect 0 mlc predict arrays x.npy --csv -
says out "p(cat),p(dog),p(owl)"

# Pictures: names for their labels, which are the names of folders of new pictures. A folder of training pictures gives names itself.
small_model
sed -i 's/source.label/classes(source.label, names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])/
    s/, classes = 10//' small.mdl
expect 0 mlc train small.mdl --out small -q
expect 0 mlc eval small --confusion
says out "  7 seven"
expect 0 mlc predict small --png grid.png
mkdir -p digits/two digits/seven && cp grid.png digits/two && cp grid.png digits/seven
expect 0 mlc eval small digits --confusion
says out "digits, 2 rows" "  2 two" "  7 seven" "  0 zero                 0     .     .     .     .     .     .     .     .     .          -"
mkdir digits/eleven && cp grid.png digits/eleven
expect 4 mlc eval small digits
says err "is not named after a class: 'eleven'"
expect 0 "$MAKE_PICTURES" shapes
cat >shapes.mdl <<'END_OF_MODEL'
mdl 1
data { source = images("shapes", height = 8, width = 8); field x = source.image / 255; field y = classes(source.label) }
model m(x) -> logits { logits = x |> flatten |> dense(3) }
train { loss = cross_entropy(logits, y); optimizer = adam(0.1); epochs = 1 }
END_OF_MODEL
expect 0 mlc data shapes.mdl
says out "classes of 'label', the label" "square"

# Without classes(...), the error suggests it.
for label in lane from_one ten side; do
    model plain "source.$label" 2
    expect 4 mlc train plain.mdl --out plain -q
    says err "classes(source.$label) numbers them from 0"
done
says err "'side' has class -1 in line 2 of 'lanes.csv'" "the training rows have 2 classes, -1, 1"
model plain 'int(source.a + 20)' 2
expect 4 mlc train plain.mdl --out plain -q
says err "classes(...) numbers them from 0"

# stratified(0.25) finds the label and takes the same fraction of each class.
for label in 'classes(source.lane)' 'classes(source["lane"])' 'columns(source, "lane") |> classes |> flatten |> reshape([N])'; do
    held_out='stratified(0.25)' model stratified "$label" 4
    expect 0 mlc data stratified.mdl
    says out "3                             15         0         5" "9                             15         0         5"
done
held_out='stratified(0.25)' model stratified 'classes(source.lane + source.ten)' 4
expect 3 mlc check stratified.mdl
says err "stratified splits by the label" "stratified(source.NAME, 0.25)"
held_out='stratified(source.lane)' model stratified 'classes(source.lane)' 4
expect 3 mlc check stratified.mdl
says err "'amount' of stratified must be a fraction"


# Some new rows have no label, or an unknown class: the others are scored.
awk -F, -v OFS=, 'NR > 1 { $4-- } 1' lanes.csv >from_zero.csv
source_file=from_zero.csv model zero source.from_one 4
expect 0 mlc train zero.mdl --out zero -q
printf 'a,b,from_one\n0,0,0\n1,-1,\n2,-2,2\n3,-3,2.5\n' >new.csv
expect 0 mlc predict zero new.csv
says out "0     2  0     0" "1     3  ?     1" "2     4  2     2" "3     5  ?     3" "2 of 2 correct, 2 of an unknown class"
finish
