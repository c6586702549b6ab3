#!/usr/bin/env bash
# Weights that the program gives: mlc build --weights given. New weights of the same model run without a new library; others are refused.
source "$(dirname "$0")/common.sh"

# runs FOLDER [LIBRARY]: the test program of the folder, with its library or another one, finds all rows equal.
runs() {
    test_program "$1" small_test.c "../${2:-$1}/libsmall.a"
    says out "small_run: 16 of 16 rows bit-equal" "small_run_3: 18 of 18 rows bit-equal"
}

small_model
expect 0 mlc train small.mdl --out run -q --set train.epochs=1
expect 0 mlc train small.mdl --out later -q
for name in run later; do
    expect 0 mlc build $name --weights given --rows 1,3 -o $name.lib
    says out "B given | code"
    needs_nothing $name.lib/libsmall.a
    ! nm $name.lib/libsmall.a | grep -q small_weights || fail "$name: the library has weights"
    grep -q "SMALL_WEIGHTS_BYTES *$(stat -c %s $name.lib/small.weights) " $name.lib/small.h || fail "$name: the file has another size"
    runs $name.lib
done
! cmp -s run.lib/small.weights later.lib/small.weights || fail "two trainings have the same weights"
same run.lib/libsmall.a later.lib/libsmall.a # it does not depend on the weights
runs later.lib run.lib
expect 0 mlc build run --weights given --rows 1,3 -o again
for file in small.h libsmall.a small_test.c small.json small.weights README.md; do same run.lib/$file again/$file; done

# The answers are those with weights inside.
expect 0 mlc build run --rows 1,3 -o inside
expected() { sed -n '/uint32_t expected_logits/,/};/p' "$1/small_test.c"; }
[[ $(expected inside) == "$(expected run.lib)" ]] || fail "other answers than with weights inside"

# Weights that are damaged at their beginning, of another build or model, or not aligned.
cat >refused.c <<'END'
#include "small.h"
#include <stdio.h>
static union {
    small_weights weights;
    unsigned char bytes[sizeof(small_weights) + SMALL_ALIGN];
} room;
static small_scratch scratch;
static uint8_t image[SMALL_IMAGE];
int main(int argc, char **argv) {
    float logits[SMALL_LOGITS] = {7};
    FILE *file = fopen(argv[1], "rb");
    size_t bytes = fread(room.bytes, 1, sizeof room.weights, file);
    int status = small_run(&room.weights, image, logits, &scratch);
    int misaligned = small_run((const small_weights *)(const void *)(room.bytes + 4), image, logits, &scratch);
    printf("%d %d %d %d\n", bytes > 0 && argc > 1, status, misaligned, logits[0] == 7);
    fclose(file);
    return 0;
}
END
expect 0 "$CC" -Irun.lib refused.c run.lib/libsmall.a -o refused
refused() { expect 0 ./refused "$1"; says out "1 2 1 1"; }
expect 0 ./refused run.lib/small.weights
says out "1 0 1 0"
{ printf 'x'; tail -c +2 run.lib/small.weights; } >damaged
refused damaged
expect 0 mlc build run --weights given --rows 1 -o one.lib
sed 's/dense(24)/dense(25)/' small.mdl >wider.mdl
expect 0 mlc train wider.mdl --out wider -q --set train.epochs=1
expect 0 mlc build wider --weights given --rows 1,3 -o wider.lib
refused wider.lib/small.weights

# Bytes: scales are a part of the code, so that only weights of the same build fit.
for name in run later; do expect 0 mlc build $name --int8 --weights given --rows 1,3 -o $name.int8; done
runs run.int8
(cd later.int8 && "$CC" small_test.c ../run.int8/libsmall.a -o other && expect 1 ./other && says out "0 of 16 rows") || fail "weights of other scales"

# As a source, and for other platforms.
expect 0 mlc build run --weights given --rows 1,3 --form c -o source
test_program source small.c small_test.c
says out "16 of 16 rows"
same run.lib/small_test.c source/small_test.c
expect 0 mlc build run --weights given --rows 1,3 --target cortex-m4 -o m4
expect 0 mlc build run --weights given --rows 1,3 --target aarch64-linux -o arm
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    (cd arm && aarch64-linux-gnu-gcc -static small_test.c libsmall.a -o test && expect 0 qemu-aarch64 ./test && says out "16 of 16 rows") || fail "aarch64"
fi

# What cannot be.
expect 2 mlc build run --weights given --train -o none
says err "--weights given and --train exclude each other"
for form in wasm html; do
    expect 2 mlc build run --weights given --form $form -o none
    says err "--weights given is for C"
done
expect 2 mlc build run --weights flash -o none
says err "--weights"
(cd run.lib && expect 1 ./test missing && says out "cannot read missing") || fail "a missing file"
[[ ! -e none ]] || fail "files were written"
finish
