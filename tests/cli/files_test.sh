#!/usr/bin/env bash
# Training and test rows in files of their own: tables without a line of names (digits, adults), archives, arrays, folders.
source "$(dirname "$0")/common.sh"

# digits: 8 x 8 pixels from 0 to 16 and the digit, no names, one file to train on and one to test with
digits() {
    awk -v rows="$1" -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < rows; i++) { d = int(rand() * 10);
        for (p = 0; p < 64; p++) { v = int((p * 7 + d * 13) % 17 + rand() * 3); printf "%d,", v > 16 ? 16 : v } print d } }'
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
says out "360 train rows, 40 valid, 100 test" "  row                              0" "  line                             1"
expect 0 mlc train digits.mdl --out digits -q --expect 'accuracy>=0.9'
expect 0 mlc eval digits
says out "test split, 100 rows"
head -c 1000 digits.tes >digits.cut && mv digits.cut digits.tes
expect 5 mlc train --resume digits -q --set train.epochs=6

# adults: spaces between cells, ? for missing, and a test file that begins with a remark
awk 'BEGIN { for (i = 0; i < 200; i++) { a = 20 + i * 37 % 50; w = i % 3 ? "Private" : i % 2 ? "?" : "State-gov";
    printf "%d, %s, %d, %s\n", a, w, i * 53 % 60, a > 45 ? ">50K" : "<=50K" } }' >adult.data
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
says out "200 train rows, 0 valid, 50 test" "50 test rows are in train too, such as line 2 of './adult.test', which is line 1 of './adult.data' again"
expect 0 mlc predict adult adult.data
expect 3 mlc check adult.mdl --set data.test=0.1
finish
