#!/usr/bin/env bash
# mlc build makes a C library of a trained network. Its test program passes with every compiler and row count, its stated sizes are right,
# and its answers are those of mlc predict.
source "$(dirname "$0")/common.sh"

# passes FOLDER NAME [COMPILER OPTION...]: the test program finds all rows equal, and the library needs no symbol.
passes() {
    local folder=$1 name=$2
    shift 2
    [[ $# -gt 0 ]] || set -- "$CC" -std=c99 -O2
    # shellcheck disable=SC2086
    (cd "$folder" && "$@" $warnings "${name}_test.c" "lib$name.a" -o "${name}_test") || fail "$folder: $*"
    "$folder/${name}_test" >"$scratch/out" 2>&1 || { fail "$folder: $*"; cat "$scratch/out"; }
    grep -q 'bit-equal' "$scratch/out" || fail "$folder: no row was compared"
    needs_nothing "$folder/lib$name.a"
}

# A network of pictures: several row counts, CPUs, levels and compilers.
small_model
expect 0 mlc train small.mdl --out run -q
expect 0 mlc build run --rows 1,7,32 -o small
says out "small_run: scratch " "small_run_32: scratch " "multiply-adds a row"
there small/{small.h,libsmall.a,small_test.c,CMakeLists.txt,README.md,small.json}
passes small small
says out "small_run: 16 of 16 rows bit-equal" "small_run_7: 21 of 21 rows" "small_run_32: 32 of 32 rows"
passes small small "$CC" -std=c17 -O0
passes small small "$CC" -std=c17 -O3 -fPIE -pie
command -v c++ >/dev/null && (cd small && cp small_test.c small_test.cc && c++ -std=c++17 $warnings small_test.cc libsmall.a -o cc_test && ./cc_test >/dev/null) ||
    fail "the header is not C++"
for cpu in x86-64 x86-64-v2 haswell; do
    expect 0 mlc build run --rows 1,3 --cpu $cpu -o "small.$cpu"
    passes "small.$cpu" small
done
expect 0 mlc build run --cpu x86-64-v4 -o small.v4 # this machine need not be able to run it
needs_nothing small.v4/libsmall.a
for level in 0 1 3; do
    expect 0 mlc build run -O$level -o "small.$level"
    passes "small.$level" small
done

# A wrong bit of a weight is found.
cp -r small bent
weights=$(readelf -SW bent/libsmall.a | sed -n 's/.*\.rodata\.small_weights *PROGBITS *[0-9a-f]* *\([0-9a-f]* [0-9a-f]*\) .*/\1/p')
start=$(LC_ALL=C grep -abo ELF bent/libsmall.a | head -n 1 | cut -d : -f 1)
at=$((start - 1 + 16#${weights% *} + 11))
byte=$(od -An -tu1 -j $at -N 1 bent/libsmall.a)
printf "\\x$(printf %02x $((byte ^ 64)))" | dd of=bent/libsmall.a bs=1 seek=$at conv=notrunc status=none
(cd bent && "$CC" small_test.c libsmall.a -o t && ./t >out) && fail "a wrong weight was not found"

# The sizes in the header are those of the file. The use of the stack is measured on a stack filled with a known byte; its last bytes may
# be reserved and never written. With two codes, the stated one is that of the code that needs more.
grep -q "SMALL_WEIGHTS_BYTES *$((16#${weights#* })) " small/small.h ||
    fail "the size of the weights is another one"
cat >stack.c <<'END'
#include "small.h"
#include "stack_use.h"
static uint8_t image[32 * SMALL_IMAGE];
static float logits[32 * SMALL_LOGITS];
static small_scratch scratch;
static small_scratch_32 scratch_32;
static int wrong(size_t used, size_t stated) {
    printf("%zu bytes of the stack, %zu stated\n", used, stated);
    return used > stated || (ONE_CODE && used + 16 <= stated);
}
int main(void) {
    return wrong(stack_use((void *)small_run, image, logits, &scratch, 0), SMALL_STACK_BYTES) |
           wrong(stack_use((void *)small_run_32, image, logits, &scratch_32, 0), SMALL_STACK_BYTES_32);
}
END
if [[ $(uname -m) == x86_64 ]]; then
    expect 0 "$CC" -DONE_CODE=0 -Ismall -I"$root/tests/cli" stack.c small/libsmall.a -o stack
    expect 0 ./stack
    expect 0 mlc build run --rows 1,32 --cpu x86-64-v3 -o small.one
    expect 0 "$CC" -DONE_CODE=1 -Ismall.one -I"$root/tests/cli" stack.c small.one/libsmall.a -o stack
    expect 0 ./stack
    (($(sed -n 's/^#define SMALL_CODE_BYTES *\([0-9]*\) .*/\1/p' small/small.h) > $(sed -n 's/^#define SMALL_CODE_BYTES *\([0-9]*\) .*/\1/p' small.one/small.h) * 3 / 2)) ||
        fail "the library has one code"
    says out "bytes of the stack"
    if command -v qemu-x86_64 >/dev/null; then # which has no AVX-512
        expect 0 qemu-x86_64 -cpu max ./small/small_test
        says out "small_run: 16 of 16 rows bit-equal"
    fi
fi

# Scratch must be aligned. Two networks go into one program.
cat >both.c <<'END'
#include "small.h"
#include "other.h"
int main(void) {
    static uint8_t image[SMALL_IMAGE];
    static float logits[SMALL_LOGITS];
    static small_scratch one;
    static other_scratch two[2];
    if (small_run(image, logits, (small_scratch *)((char *)two + 4)) != SMALL_MISALIGNED) return 1;
    if (small_run(image, logits, &one) != SMALL_OK || other_run(image, logits, two) != OTHER_OK) return 2;
    return small_logits_class(logits) >= SMALL_LOGITS;
}
END
expect 0 mlc build run --name other -o other
expect 0 "$CC" -Ismall -Iother both.c small/libsmall.a other/libother.a -o both
expect 0 ./both

# The same run gives the same bytes, into the same folder too.
expect 0 mlc build run --rows 1,7,32 -o again
for file in small.h libsmall.a small_test.c CMakeLists.txt README.md small.json; do same small/$file again/$file; done
expect 0 mlc build run --rows 1,7,32 -o again

# A table: columns of every kind, and the numbers of mlc predict.
awk 'BEGIN { srand(3); print "when,size,rooms,town,age,flag,price"
    for (i = 0; i < 240; i++) { s = int(rand() * 4000) / 16; r = 1 + int(rand() * 9); t = substr("ABC", 1 + int(rand() * 3), 1)
        printf "%d,%g,%d,%s town,%s,%d,%g\n", 1600000000 + i * 18000, s, r, t, rand() < 0.1 ? "" : int(rand() * 90), 10 * int(rand() * 2), s / 9 + r } }' >houses.csv
cat >houses.mdl <<'END'
mdl 1
data {
    source = csv("houses.csv")
    field x = concat([source |> columns(["size", "rooms", "age"]) |> impute("median") |> standardize, source |> columns("town") |> one_hot], axis = 1)
    field hour = unsqueeze((source.when % 86400) / 3600.0, 1)
    field each = unsqueeze(floor(source.size / source.rooms) + round(source.size / 3), 1)
    field kind = one_hot(classes(source.flag))
    field y = source |> columns("price")
    test = 0.2
}
model houses(x, hour, each, kind) -> (price, hidden) {
    hidden = concat([x, hour / 24, each / 50, kind], axis = 1) |> dense(8) |> tanh
    price = dense(hidden, 1)
}
train {
    loss      = mse(price, y)
    optimizer = adam(lr = 0.01)
    epochs    = 3
}
END
expect 0 mlc train houses.mdl --out houses_run -q
expect 0 mlc build houses_run --rows 1,5
passes houses houses
grep -q 'HOUSES_TOWN_B_TOWN = 1, /\* B town \*/' houses/houses.h || fail "no enumeration of the towns"
mlc predict houses_run houses.csv --csv predicted.csv -q >/dev/null
awk -F, 'NR > 1 { sub(/ town/, "", $4); printf "{.when = %d, .size = %s, .rooms = %d, .town = HOUSES_TOWN_%s_TOWN, .age = %s, .flag = %d},\n", $1, $2, $3, $4, $5 == "" ? "NAN" : $5, $6 }' houses.csv >rows.h
cut -d, -f6- predicted.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "hidden[0]") from = i } NR > 1 { printf "{"; for (i = 0; i < 8; i++) printf "%sF, ", ($(from + i) ~ /[.e]/) ? $(from + i) : $(from + i) ".0"; print "}," }' >hidden.h
cat >predict.c <<'END'
#include "houses.h"
#include <math.h>
#include <string.h>
static const houses_row rows[] = {
#include "rows.h"
};
static const float expected[][HOUSES_HIDDEN] = {
#include "hidden.h"
};
int main(void) {
    static houses_scratch scratch;
    float price[HOUSES_PRICE], hidden[HOUSES_HIDDEN];
    for (int i = 0; i < 240; i++)
        if (houses_run(&rows[i], price, hidden, &scratch) || memcmp(hidden, expected[i], sizeof hidden)) return 1;
    return sizeof rows / sizeof *rows != 240 || sizeof expected / sizeof *expected != 240;
}
END
expect 0 "$CC" -Ihouses -I. predict.c houses/libhouses.a -o predict
expect 0 ./predict

# A network that reads windows of a series.
awk 'BEGIN { srand(1); print "temp,wind"; for (i = 0; i < 200; i++) printf "%.2f,%d\n", 10 * sin(i / 4) + rand(), int(rand() * 20) }' >weather.csv
cat >weather.mdl <<'END'
mdl 1
data {
    source = csv("weather.csv")
    field past = source |> columns(["temp", "wind"]) |> standardize |> windows(6)
    field change = unsqueeze(source.temp - windows(source.temp, 3)[:, 0], 1)
    field next = ahead(columns(source, "temp"), 1)
    test = last(40)
}
model weather(past, change) -> temp {
    temp = concat([flatten(past), change], axis = 1) |> dense(4) |> relu |> dense(1)
}
train {
    loss      = mse(temp, next)
    optimizer = adam(lr = 0.01)
    epochs    = 1
}
END
expect 0 mlc train weather.mdl --out weather_run -q
expect 0 mlc build weather_run --rows 1,5
grep -q 'WEATHER_WINDOW_BEFORE *5 ' weather/weather.h || fail "the window is another one"
passes weather weather

# Sizes alone, as JSON, and as a limit.
expect 0 mlc build run --dry-run --json -o none
says out '"weights_bytes": ' '"stack_bytes": ' '"classes": ['
[[ ! -e none ]] || fail "--dry-run wrote a folder"
expect 7 mlc build run --expect 'stack<=64' --expect 'code<=1000000' -o none
says err "stack: " " bytes, expected at most 64"
[[ ! -e none ]] || fail "--expect not met, but files written"
expect 0 mlc build run --expect 'stack<=4096' --expect 'scratch<=100000' --dry-run

# Errors are reported, and no file is written.
expect 2 mlc build run --expect 'speed<=5'
says err "--expect takes SIZE<=BYTES, not 'speed<=5'" "weights, code, scratch and stack"
for name in 2d Digits int a-b ''; do
    expect 2 mlc build run --name "$name" -o none
    says err "--name $name: all names begin with it"
done
for rows in 0 1,1 x 70000 '' 1,,2 1,2,3,4,5,6,7,8,9; do
    expect 2 mlc build run --rows "$rows" -o none
    says err "--rows takes up to 8 different numbers from 1 to 65536, not '$rows'"
done
expect 2 mlc build run --cpu pentium5 -o none
says err "unknown CPU 'pentium5'"
expect 5 mlc build nowhere -o none
mkdir full && touch full/mine
expect 5 mlc build run -o full
says err "'full' exists and is not a folder of 'mlc build'" "-o DIR names another one"
[[ $(ls full) == mine && ! -e none ]] || fail "files were written"
expect 5 mlc build run -o /dev/null/none
expect 5 bash -c 'ulimit -f 8 && exec mlc build run -o cut' # the header can be written, the library cannot
says err "libsmall.a"
[[ ! -e cut ]] || fail "a part of the files is left: $(ls cut)"
sed 's|source.when % 86400|source.size % 7|' houses.mdl >rest.mdl
expect 0 mlc train rest.mdl --out rest -q --set train.epochs=1
expect 3 mlc build rest -o none
says err "takes a remainder other than that of a whole number and a whole constant"
finish
