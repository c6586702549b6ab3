#!/usr/bin/env bash
# Numbers that f32 cannot hold: times since 1970, ids, money. Expected values are the exact ones, rounded to f32.
source "$(dirname "$0")/common.sh"

# fields EXPRESSION EXPECTED: the first rows that the data block computes from t.csv; every field is a number a row
fields() {
    cat >m.mdl <<END_OF_MODEL
mdl 1
data { source = csv("t.csv"); field a = $1; field x = columns(source, "k"); field k = source.k }
model m(x, a) -> p { p = dense(x, 1) + sum(a) * 0.0 }
train { loss = mse(sum(p), sum(k)); optimizer = sgd(0.0); epochs = 1 }
END_OF_MODEL
    expect 0 mlc data m.mdl --json
    [[ $(grep -o '"fields":{"a":[^,x]*' "$scratch/out" | cut -d: -f3 | tr '\n' ' ') == "$2 " ]] ||
        fail "$1 is $(grep -o '"fields":{"a":[^x]*' "$scratch/out"), not $2"
}

# Mean 1700000001.5, deviation sqrt(1.25).
printf 'ts,k\n1700000000,1\n1700000001,2\n1700000002,3\n1700000003,4\n' >t.csv
standard='-1.3416408 -0.4472136 0.4472136 1.3416408'
fields 'source.ts |> standardize' "$standard"
fields '(source.ts - 1699999999) |> standardize' "$standard"
fields '(source |> columns("ts") |> standardize)[:, 0]' "$standard"
fields 'windows(source.ts, 1)[:, 0] |> standardize' "$standard"
fields '(windows(source.ts, 1) |> standardize)[:, 0]' "$standard"
fields '(windows(source.ts, 1) - 1700000000)[:, 0]' '0.0 1.0 2.0 3.0'
fields '(windows(source.ts, 1) % 10)[:, 0]' '0.0 1.0 2.0 3.0'
fields '(columns(source, ["k", "ts"]) |> standardize)[:, 1]' "$standard"
fields '(columns(source, ["k", "ts"]) |> standardize)[:, 1] * 1' "$standard"
fields '(columns(source, ["k", "ts"]) |> impute("mean"))[:, 0] - 1' '0.0 1.0 2.0 3.0'
fields '(source.ts |> standardize) * 0 + (source.ts - 1700000000)' '0.0 1.0 2.0 3.0'
fields 'source.ts |> standardize |> impute(0)' "$standard"
expect 0 mlc data m.mdl
says out 'ts                     i32[N]                0   1700000000 1700000001.5   1700000003'
says out '.standardize.mean' '1700000001.5'
fields 'ahead(source.ts - 1700000000, 1) - (source.ts - 1700000000)' '1.0 1.0 1.0'
fields 'ahead(source.ts, 1) |> standardize' '-1.2247449 0.0 1.2247449'

# Differences between rows of a series.
printf 'ts,k\n1700000001,1\n1700000004,2\n1700000006,3\n1700000013,4\n1700000014,5\n' >t.csv
fields 'ahead(source.ts, 1) - source.ts' '3.0 2.0 7.0 1.0'
fields 'source.ts - ahead(source.ts, 1)' '-3.0 -2.0 -7.0 -1.0'
fields 'ahead(source.ts, 2) - ahead(source.ts, 1)' '2.0 7.0 1.0'
fields 'ahead(ahead(source.ts, 1) - source.ts, 1)' '2.0 7.0 1.0'
fields 'ahead(source.ts - 1700000000, 1) - ahead(source.ts, 2) + 1700000000' '-2.0 -7.0 -1.0'
fields '(windows(source.ts, 3)[:, 1:] - windows(source.ts, 3)[:, :-1])[:, 0]' '3.0 2.0 7.0'
fields 'windows(source.ts, 3)[:, 2] - windows(source.ts, 3)[:, 0]' '5.0 9.0 8.0'
fields '(ahead(source.ts, 1, 2) - windows(source.ts, 2))[:, 0]' '5.0 9.0'
fields 'int(ahead(source.ts, 1) - source.ts > 2)' '1 0 1 0'
fields 'max(ahead(source.ts, 1), source.ts) % 100' '4.0 6.0 13.0 14.0'
fields 'abs(source.ts - ahead(source.ts, 1)) |> standardize' '-0.10976426 -0.5488213 1.6464639 -0.9878783'
fields '(windows(ahead(source.ts, 1) - source.ts, 2) |> standardize)[:, 0]' '-0.10976426 -0.5488213 1.6464639'

# Rounding is done before digits are lost; halves go to the even whole number.
printf 'ts,k\n1234567.895,1\n-1234567.885,2\n1234567.125,3\n' >t.csv
fields 'round(source.ts * 100) % 1000' '790.0 212.0 712.0'
fields 'int(round(source.ts * 100)) % 10' '0.0 2.0 2.0'
printf 'ts,k\n20000001,1\n20000002,2\n' >t.csv
fields 'round(source.ts) - 20000000' '1.0 2.0'
fields 'round(source.ts * 3.5) - 70000000' '4.0 7.0'

# A network that computes with numbers beyond f32 gives a warning and a finding, but only if digits are lost.
awk 'BEGIN { print "ts,day,big,id,log,k"; for (i = 0; i < 40; i++) printf("%d,%.4f,%d,%d,%.2f,%d\n", 1700000001 + 3 * i, 2451545.25 + i / 128, 39538223 + i, 20000001 + i, 1e8 * (i + 1) + 0.25, i % 5) }' >lost.csv
lost() {
    cat >lost.mdl <<END_OF_MODEL
mdl 1
data { source = csv("lost.csv"); field a = $1; field y = unsqueeze(${3:-source.k * 1}, 1) }
model m(a) -> p { p = ${4:-dense(unsqueeze(a, 1), 1)} }
train { loss = mse(p, y); optimizer = sgd(1e-30); epochs = 1 }
END_OF_MODEL
    rm -rf lost
    expect 0 mlc train lost.mdl --out lost -q
    if [[ $2 ]]; then says err "warning: $2"; else grep 'loses digits' "$scratch/err" && fail "$1 loses no digits"; fi
    # so do evaluations, also of new rows
    for files in '' lost.csv; do
        expect 0 mlc eval lost $files
        if [[ $2 ]]; then says err "warning: ${2%% in line*}"; else grep 'loses digits' "$scratch/err" && fail "eval: $1 loses no digits"; fi
    done
    expect 0 mlc data lost.mdl
    if [[ $2 ]]; then says out "rounded: $2"; else grep 'loses digits' "$scratch/out" && fail "$1 loses no digits"; fi
}
lost 'select(source.k > 2, source.ts, 1700000000) - 1700000000' "'ts' loses digits: 1700000001 becomes 1700000000 as f32 in line 2 of 'lost.csv'"
says out "rounded"
lost 'sum(columns(source, ["k", "ts"]), axis = 1)' "'ts' loses digits: 1700000001 becomes 1700000000"
lost '(windows(source.ts, 3) - unsqueeze(source.ts, 1))[:, 0]' "'ts' loses digits"
lost 'source.ts' "'ts' loses digits"
lost 'source.ts * 2' "'ts * 2' loses digits: 3400000002 becomes 3400000000"
lost 'source.ts - 1600000000' "'ts - 1600000000' loses digits: 100000001 becomes 100000000"
lost 'source.ts / 1e9' "'ts / 1000000000.' loses digits: from 1.700000001 to 1.700000118 f32 has only 2 numbers"
lost 'source.day' "'day' loses digits: from 2451545.25 to 2451545.5547 f32 has only 3 numbers"
lost 'log(source.ts)' "'ts' loses digits: from 1700000001 to 1700000118 f32 has only 2 numbers"
lost 'log(source.k + 1)' "'big' loses digits: 39538223 becomes 39538224" 'source.big'
lost 'source.ts - 1700000000' ''
lost 'source.ts |> standardize' ''
lost 'ahead(source.ts, 1) - source.ts' ''
lost 'log(source.log)' ''
expect 0 mlc predict lost --index 0..1
grep 'loses digits' "$scratch/err" && fail "predict computes nothing of a target"
lost 'source.ts * 2' "'ts * 2' loses digits"
expect 0 mlc predict lost lost.csv
says err "resolved.mdl:" "warning: 'ts * 2' loses digits: 3400000002 becomes 3400000000 as f32 in line 2 of 'lost.csv'"
lost 'source.k' '' 'source.k * 1' 'mean(embedding(a, 5, 2), axis = 1, keep = true)'
lost 'source.id % 4' '' 'standardize(source.big)'

# Ids up to 2^53, the limit of f64, one of them missing; their median is exact.
printf 'ts,k\n9007199254740989,1\n9007199254740990,2\n9007199254740991,3\n,4\n9007199254740992,5\n' >t.csv
fields '(source.ts |> impute("median")) - 9007199254740989' '0.0 1.0 2.0 1.0 3.0'
fields '(source.ts |> impute("mode")) - 9007199254740989' '0.0 1.0 2.0 0.0 3.0'
fields '(source.ts |> impute(9007199254740991)) - 9007199254740989' '0.0 1.0 2.0 2.0 3.0'

# Whole numbers beyond 2^53, which f64 cannot hold, up to 2^63 - 1: statistics, imputed cells and standardized numbers.
for first in 1700000000123 9007199254740980 9007199254740993 1700000000123456789 9223372036854775804 -9223372036854775807; do
    printf 'ts,k\n%d,1\n%d,2\n%d,3\n%d,4\n' "$first" $((first + 1)) $((first + 2)) $((first + 3)) >t.csv
    fields 'source.ts |> standardize' "$standard"
    fields '(windows(source.ts, 1) |> standardize)[:, 0]' "$standard"
    expect 0 mlc data m.mdl --json
    says out "\"min\":$first," "\"max\":$((first + 3)),\"deviation\":1.11803399" "\"ts\":$((first + 2)),"
    expect 0 mlc data m.mdl
    says out "$first" "$((first + 3))      1.11803"
    printf 'ts,k\n%d,1\n%d,2\n,3\n%d,4\n%d,5\n' "$first" $((first + 1)) $((first + 1)) $((first + 2)) >t.csv
    fields "(source.ts |> impute(\"median\")) - $first" '0.0 1.0 1.0 1.0 2.0'
    fields "(source.ts |> impute(\"mode\")) - $first" '0.0 1.0 1.0 1.0 2.0'
    fields "(source.ts |> impute(\"mean\")) - $first" '0.0 1.0 1.0 1.0 2.0'
    fields 'source.ts |> impute("mean") |> standardize' '-1.5811388 0.0 0.0 0.0 1.5811388'
done
# The mean of whole numbers below 2^53 need not be an f64 number.
printf 'ts,k\n9007199254740000,1\n9007199254740001,2\n9007199254740001,3\n' >t.csv
fields 'source.ts |> standardize' '-1.4142135 0.70710677 0.70710677'
printf 'ts,k\n1700000000000,1\n1700000000001,2\n1700000000001,3\n' >t.csv
fields 'source.ts |> standardize' '-1.4142135 0.70710677 0.70710677'
printf 'ts,k\n%d,1\n%d,2\n,3\n%d,4\n%d,5\n' $((1 << 62)) $(((1 << 62) + 1)) $(((1 << 62) + 1)) $(((1 << 62) + 2)) >t.csv
cat >beyond.mdl <<'END_OF_MODEL'
mdl 1
data { source = csv("t.csv"); field x = columns(source, "ts") |> impute("median") |> standardize; field k = columns(source, "k") }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, k); optimizer = sgd(0.1); epochs = 2 }
END_OF_MODEL
expect 0 mlc train beyond.mdl --out beyond --quiet
mlc predict beyond --split train --json | grep -o '"p":\[[^]]*' >"$scratch/own"
mlc predict beyond t.csv --json | grep -o '"p":\[[^]]*' >"$scratch/new"
same "$scratch/own" "$scratch/new"
[[ $(sort -u "$scratch/own" | wc -l) == 3 ]] || fail "numbers beyond 2^53 are alike: $(cat "$scratch/own")"
expect 0 mlc train beyond.mdl --out beyond_half --quiet --set train.epochs=1
expect 0 mlc train --resume beyond_half --quiet --set train.epochs=2
same beyond/last.safetensors beyond_half/last.safetensors

# Money with cents is computed in f64.
printf 'ts,k\n123456789.01,1\n123456789.02,2\n123456789.03,3\n' >t.csv
fields 'source.ts |> standardize' '-1.224744 0.0 1.2247458'

# A column with one value: the deviation must not become a divisor of 0.
printf 'ts,k\n1700000001,1\n1700000001,2\n' >t.csv
fields 'source.ts |> standardize' '0.0 0.0'

# A target in units: truths, predictions and errors have the digits of the file.
printf 'ts,x\n' >y.csv
for ((i = 0; i < 40; i++)); do printf '%d,%d\n' $((1700000001 + i)) "$i"; done >>y.csv
cat >y.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = csv("y.csv")
    field x = columns(source, "x") |> standardize
    field y = (columns(source, "ts") - 1699999999) |> standardize
    test = last(0.1)
}
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, y); optimizer = sgd(0.3); epochs = 60; batch = 8 }
END_OF_MODEL
expect 0 mlc train y.mdl --out run --quiet
expect 0 mlc predict run
says out '1700000037' '1700000040'
expect 0 mlc predict run --json
says out '"true":[1700000037]' '"columns":["ts"]'
expect 0 mlc eval run --split test
says out 'e-07'
expect 0 mlc predict run --csv answer.csv
grep -q '1700000037,17000000' answer.csv || fail "a csv file has other digits: $(head -2 answer.csv)"

# Beyond 2^53 they have those of the nearest f64.
sed 's/17000000/1700000000000000/' y.csv | sed '1s/.*/ts,x/' >far.csv
sed 's/y.csv/far.csv/; s/ - 1699999999//' y.mdl >far.mdl
expect 0 mlc train far.mdl --out far --quiet
expect 0 mlc predict far
says out '170000000000000032  170000000000000064'
expect 0 mlc predict far --json
says out '"predicted":[170000000000000064],"true":[170000000000000032]'

# New rows are transformed by the fitted numbers, whatever their values are; so are rows of a file that eval reads.
head -5 y.csv >few.csv
expect 0 mlc predict run few.csv --json
says out '"true":[1700000001]'
mlc predict run --split train --index 0..3 --json | grep -o '"p":\[[^]]*' >"$scratch/own"
grep -o '"p":\[[^]]*' "$scratch/out" >"$scratch/new"
same "$scratch/own" "$scratch/new"
expect 0 mlc eval run few.csv
says out 'e-07'

# Ids of 16 and of 19 digits, four rows each: groups stay together, different ids are different, and different rows are no duplicates.
for first in 9007199254740000 1400000000000000000; do
    echo id,v >ids.csv
    for ((i = 0; i < 40; i++)); do echo "$((first + i / 4)),$((i % 4))"; done >>ids.csv
    cat >ids.mdl <<END_OF_MODEL
mdl 1
data { source = csv("ids.csv"); field x = columns(source, "v"); field v = columns(source, "v"); test = group(source.id, 3) }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, v); optimizer = sgd(0.1); epochs = 1 }
END_OF_MODEL
    expect 0 mlc data ids.mdl --split test --rows 12
    says out '28 train rows, 0 valid, 12 test'
    grep -qE 'duplicate|leak' "$scratch/out" && fail "rows of $first that differ are told to be alike"
    [[ $first != 9* ]] || [[ $(grep '^  id ' "$scratch/out" | sed 1d | tr -s ' ' '\n' | grep -E '^[0-9]+$' | sort | uniq -c | tr -s ' ' | cut -d' ' -f2 | sort -u) == 4 ]] ||
        fail "groups of $first are divided: $(grep '^  id ' "$scratch/out")"
done

# Arrays: a field computed when the data are read is computed for a new array too, and columns may form lists.
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }"; cat; }
for ((i = 0; i < 40; i++)); do printf '\\x%02x\\x%02x\\x00\\x00' $((i % 256)) 9; done | xargs -0 printf | npy '<i4' '(40,)' >ts.npy
for ((i = 0; i < 40; i++)); do printf '\\x%02x' $((i % 5)); done | xargs -0 printf | npy '|u1' '(40,)' >k.npy
cat >arrays.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = npy(["ts.npy", "k.npy"])
    field x = concat([unsqueeze(source.ts - 2304, 1) / 8, unsqueeze(standardize(source.ts), 1)])
    field k = unsqueeze(source.k / 4, 1)
}
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, k); optimizer = sgd(0.01); epochs = 1; batch = 8 }
END_OF_MODEL
expect 0 mlc train arrays.mdl --out arrays --quiet
mlc predict arrays --split train --json | grep -o '"p":\[[^]]*' >"$scratch/own"
mlc predict arrays ts.npy --json | grep -o '"p":\[[^]]*' >"$scratch/new"
same "$scratch/own" "$scratch/new"
there "$scratch/own"
printf '4,7\n1,2\n' | sed '1i x,ts' >two.csv
cat >two.mdl <<'END_OF_MODEL'
mdl 1
data { source = csv("y.csv"); field x = columns(source, ["x", "ts"]) |> standardize; field y = columns(source, "x") }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, y); optimizer = sgd(0.01); epochs = 1; batch = 8 }
END_OF_MODEL
expect 0 mlc train two.mdl --out two --quiet
printf '\x04\x07\x01\x02' | npy '|u1' '(2, 2)' >two.npy
mlc predict two two.csv --json | grep -o '"predicted":\[[^]]*' >"$scratch/own"
mlc predict two two.npy --json | grep -o '"predicted":\[[^]]*' >"$scratch/new"
same "$scratch/own" "$scratch/new"
there "$scratch/own"

# Arrays beyond 32 bits and of f64, in an archive or in files, for new rows too, and for windows of rows.
long() { # COUNT FIRST STEP: whole numbers of 64 bits
    local i b
    for ((i = 0; i < $1; i++)); do for ((b = 0; b < 64; b += 8)); do printf '\\x%02x' $((($2 + i * $3) >> b & 255)); done; done | xargs -0 printf
}
long 20 5700000001 3 | npy '<i8' '(20,)' >when.npy
long 20 $((1 << 62)) 1 | npy '<u8' '(20,)' >id.npy
long 20 $((0x41c0000000000000)) 16 | npy '<f8' '(20,)' >close.npy # from 2^29 on, 2^-19 apart
long 20 0 1 | npy '<i8' '(20,)' >k.npy
cat >long.mdl <<'END_OF_MODEL'
mdl 1
data {
    source = npy(["when.npy", "id.npy", "close.npy", "k.npy"])
    field a = source.when - 5700000000
    field b = source.id - 4611686018427387904
    field c = (source.close - 536870912) * 524288
    field d = ahead(source.when, 1) - source.when
    field e = round((standardize(source.close) - standardize(source.when)) * 1e6)
    field g = classes(source.id % 3)
    field k = source.k
}
model m(a, b, c, d, e) -> p { p = dense(concat([unsqueeze(a, 1), unsqueeze(b, 1), unsqueeze(c, 1), unsqueeze(d, 1), unsqueeze(e, 1)], axis = 1), 3) }
train { loss = cross_entropy(p, g); optimizer = sgd(0.01); epochs = 1; batch = 8 }
END_OF_MODEL
expect 0 mlc data long.mdl --json
says out '"a":1.0,"b":0.0,"c":0.0,"d":3.0,"e":0.0,"g":"1","k":0' '"a":4.0,"b":1.0,"c":1.0,"d":3.0,"e":0.0,"g":"2","k":1'
expect 0 mlc train long.mdl --out long --quiet
mlc predict long --split train --json | grep -o '"predicted":.*' >"$scratch/own"
mlc predict long when.npy id.npy close.npy --json | grep -o '"predicted":.*' >"$scratch/new"
same "$scratch/own" "$scratch/new"
there "$scratch/own"
# An array that the network also reads directly keeps its digits for computed columns.
sed 's/field k = .*/field r = source.close/; s/m(a,/m(r, a,/; s/unsqueeze(e, 1)/unsqueeze(e, 1), unsqueeze(tanh(r), 1)/' long.mdl >both.mdl
expect 0 mlc train both.mdl --out both --quiet
mlc predict both --split train --json | grep -o '"predicted":.*' >"$scratch/own"
mlc predict both when.npy id.npy close.npy --json | grep -o '"predicted":.*' >"$scratch/new"
same "$scratch/own" "$scratch/new"
there "$scratch/own"
long 20 $((1 << 62)) $((1 << 58)) | npy '<u8' '(20,)' >id.npy # the last ones are beyond 64 bits
expect 3 mlc data long.mdl
says err "'id.npy': its element 16 is a whole number beyond 64 bits"
# An array that the model does not read may contain anything.
sed 's/source.id - 4611686018427387904/source.k/; s/source.id/source.k/' long.mdl >without.mdl
expect 0 mlc data without.mdl
says out "unreadable: 'id.npy': its element 16 is a whole number beyond 64 bits; it is left out"
expect 0 mlc train without.mdl --out without --quiet

# Windows of arrays: every row with enough rows before it is predicted.
sed 's/field a.*/field a = windows(source.when, 3) |> standardize/; s/unsqueeze(a, 1)/a/; s/long.mdl//; s/id.npy/k.npy/; s/, "k.npy"\]/]/; s/source.id - .*/source.k * 1/; s/source.id/source.k/' long.mdl >window.mdl
expect 0 mlc train window.mdl --out window --quiet
mlc predict window --split train --json | grep -o '"predicted":.*' >"$scratch/own"
mlc predict window when.npy k.npy close.npy --json | grep -o '"predicted":.*' >"$scratch/new"
[[ $(wc -l <"$scratch/new") == 17 ]] || fail "windows of arrays: $(cat "$scratch/new")"
same "$scratch/own" "$scratch/new"

# Series are separated by ids that f32, or even f64, cannot distinguish.
for id in 100000001 9007199254740992; do
    printf 'id,v\n%d,1\n%d,10\n%d,2\n%d,20\n%d,3\n' $id $((id + 1)) $id $((id + 1)) $id >t.csv
    cat >ids.mdl <<'END_OF_MODEL'
mdl 1
data { source = csv("t.csv"); series = source.id; field a = ahead(source.v, 1); field v = source.v }
model m(v) -> p { p = dense(unsqueeze(v * 1.0, 1), 1) }
train { loss = mse(p, unsqueeze(a * 1.0, 1)); optimizer = sgd(0.01); epochs = 1 }
END_OF_MODEL
    expect 0 mlc data ids.mdl --json
    says out '"a":2,"v":1' '"a":20,"v":10' '"a":3,"v":2'
done
for ((i = 0; i < 5; i++)); do long 1 $((9007199254740992 + i % 2)) 0; done | npy '<i8' '(5,)' >id.npy
long 5 1 1 | npy '<i8' '(5,)' >v.npy
sed -i 's/csv("t.csv")/npy(["id.npy", "v.npy"])/' ids.mdl
expect 0 mlc data ids.mdl --json
says out '"a":3,"v":1' '"a":4,"v":2' '"a":5,"v":3'

# Stopped and resumed: the same bytes.
expect 0 mlc train y.mdl --out half --quiet --set train.epochs=30
expect 0 mlc train --resume half --quiet --set train.epochs=60
same run/last.safetensors half/last.safetensors
grep -q 'F64' half/last.safetensors || fail 'what is learnt is not stored in f64'
finish
