#!/usr/bin/env bash
# Names, cells and numbers of 100,000 bytes, and names with control characters, wherever they may occur: no crash, no message that repeats
# them whole, no control character on a terminal. Also numbers at the end of the range of i64.
source "$(dirname "$0")/common.sh"
big=$(printf 'x%.0s' {1..100000})
red=$'\e[31mred\e[0m'

# table FILE HEAD CELL CLASS
table() {
    echo "a,$2,y" >"$1"
    for i in {1..40}; do echo "$((i % 7)),$([[ $i == 40 ]] && echo "$3" || echo $((i % 5))),$( ((i % 2)) && echo "$4" || echo v)"; done >>"$1"
}
table cell.csv b "$big" u
table head.csv "$big" 1 u
table class.csv b 1 "$big"
table red.csv "$red" 1 "$red"

# model FILE TABLE COLUMN LABEL [NAME] [LINE]
model() {
    printf '%s\n' 'mdl 1' 'data {' "source = csv(\"$2\")" "field x = source |> columns([\"a\", \"$3\"])" "field y = source.$4" "${6-}" \
        'test = 0.2 }' "model ${5-m}(x) -> z { z = dense(x, 2) }" \
        'train { loss = cross_entropy(z, y); optimizer = sgd(lr = 0.1); batch = 8; epochs = 1; metrics = [accuracy(z, y)] }' >"$1"
}

# quiet STATUS COMMAND...: ends with this status, with lines of bounded length and no control character
quiet() {
    expect "$@"
    [[ $(cat "$scratch/out" "$scratch/err" | wc -L) -lt 700 ]] || fail "${*:2}: a line of $(cat "$scratch/out" "$scratch/err" | wc -L) columns"
    grep -q $'\e' "$scratch/out" "$scratch/err" && fail "${*:2}: a control character reaches the terminal"
    return 0
}

model cell.mdl cell.csv b y && quiet 3 mlc check cell.mdl
model head.mdl head.csv "$big" y && quiet 0 mlc check head.mdl && quiet 0 mlc data head.mdl
model class.mdl class.csv b y && quiet 0 mlc data class.mdl
model red.mdl red.csv "$red" y && quiet 0 mlc data red.mdl
model label.mdl class.csv b "$big" && quiet 3 mlc check label.mdl
model name.mdl class.csv b y "$big" && quiet 3 mlc check name.mdl
model field.mdl class.csv b y m "field $big = source.a" && quiet 3 mlc check field.mdl
model string.mdl class.csv b y m "field q = impute(source.a, by = \"$big\")" && quiet 3 mlc check string.mdl
model number.mdl class.csv b y m "field q = source.a + ${big//x/9}" && quiet 3 mlc check number.mdl
model percent.mdl class.csv b y m "valid = ${big//x/9}${big//x/ }%${big//x/ }" && quiet 3 mlc check percent.mdl
says err "is not a number: write 10 % as 0.1"
model file.mdl "$big.csv" b y && quiet 4 mlc check file.mdl
says err "xxx...xxx" " bytes)"
model redfile.mdl "$red.csv" b y && quiet 4 mlc check redfile.mdl
cp class.mdl "$red.mdl" && quiet 0 mlc check "$red.mdl" && echo oops >>"$red.mdl" && quiet 3 mlc check "$red.mdl"
quiet 3 mlc check class.mdl --set "$big=1"
quiet 3 mlc check class.mdl --set "train.epochs=$big"
quiet 2 mlc check class.mdl --threads "$big"
quiet 2 mlc "$big"
quiet 5 mlc eval "$big"

for case in class head red; do
    out=$case
    [[ $case == red ]] && out=$red
    quiet 0 mlc train "$case.mdl" --out "$out"
    quiet 0 mlc eval "$out" --confusion
    quiet 0 mlc predict "$out"
done
quiet 5 mlc train red.mdl --out "$red"
quiet 2 mlc predict class --index "$big"

# the end of the range
last=9223372036854775807
for range in "$last" "0..$last" "$last..$last"; do
    quiet 2 mlc predict class --index "$range"
    says err "--index $range: the test split has rows 0 to 7"
done
for range in 9223372036854775808 0..18446744073709551616 "$last..0" -1; do
    quiet 2 mlc predict class --index "$range"
    says err "--index takes a number, or A..B with A <= B, not '$range'"
done
for value in "$last" 9223372036854775808 -9223372036854775808 2147483648 4294967297; do
    quiet 3 mlc check class.mdl --set "train.epochs=$value"
    quiet 3 mlc check class.mdl --set "train.batch=$value"
    quiet 2 mlc train class.mdl --threads "$value"
    quiet 2 mlc data class.mdl --rows "$value"
done
quiet 0 mlc check class.mdl --set "train.seed=$last"
says out "seed $last"
quiet 0 mlc train class.mdl --set "train.seed=$last" --out seeded -q
for cell in "$last" "-$last" 9223372036854775808 -9223372036854775808 -18446744073709551616; do # in a table; the last three are no i64
    table range.csv b "$cell" u && model range.mdl range.csv b y && quiet 0 mlc check range.mdl && quiet 0 mlc data range.mdl
done
for setting in "skip = $last" "test = $last" "valid = $last" "split_seed = $last"; do
    model range.mdl class.csv b y m
    sed -i "s/\(test = 0.2\)/\1; $setting/" range.mdl
    [[ $setting == test* ]] && sed -i "s/test = 0.2; //" range.mdl
    quiet 3 mlc check range.mdl
done
finish
