#!/usr/bin/env bash
# Weights in an object or a source of their own: mlc build --weights apart. New weights of the same model are linked to the same code; the
# linker refuses others.
source "$(dirname "$0")/common.sh"

# runs FOLDER [LIBRARY]: the test program of the folder, with its weights and the code of its library or another one, finds all rows equal.
runs() {
    test_program "$1" small_test.c "../${2:-$1}/libsmall.a" small_weights.o
    says out "small_run: 16 of 16 rows bit-equal" "small_run_3: 18 of 18 rows bit-equal"
}
undefined() { nm -u "$1" | grep ' U '; }
expected() { sed -n '/uint32_t expected_logits/,/};/p' "$1/small_test.c"; }

small_model
expect 0 mlc train small.mdl --out run -q --set train.epochs=1
expect 0 mlc train small.mdl --out later -q
for name in run later; do
    expect 0 mlc build $name --weights apart --rows 1,3 -o $name.lib
    says out "B apart | code"
    [[ $(undefined $name.lib/libsmall.a) =~ ^\ +U\ small_weights_[0-9a-f]{16}$ ]] || fail "$name: needs $(undefined $name.lib/libsmall.a)"
    [[ -z $(undefined $name.lib/small_weights.o) ]] || fail "$name: the weights need symbols"
    runs $name.lib
done
grep -q '"weights_symbol": "small_weights_' run.lib/small.json || fail "the symbol is not in the JSON"
same run.lib/libsmall.a later.lib/libsmall.a # it does not depend on the weights
! cmp -s run.lib/small_weights.o later.lib/small_weights.o || fail "two trainings have the same weights"
runs later.lib run.lib
readelf -SW run.lib/small_weights.o | grep -q '\.rodata\.small_weights ' || fail "the weights have no section of their own"
size=$((16#$(readelf -SW run.lib/small_weights.o | sed -n 's/.*\.rodata\.small_weights *PROGBITS *[0-9a-f]* *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')))
grep -q "SMALL_WEIGHTS_BYTES *$size " run.lib/small.h || fail "the size of the weights is another one"
expect 0 mlc build run --weights apart --rows 1,3 -o again
for file in small.h libsmall.a small_weights.o small_test.c small.json CMakeLists.txt README.md; do same run.lib/$file again/$file; done

# The answers are those with weights inside; weights of another training give other ones.
expect 0 mlc build run --rows 1,3 -o inside
[[ $(expected inside) == "$(expected run.lib)" ]] || fail "other answers than with weights inside"
(cd run.lib && "$CC" small_test.c libsmall.a ../later.lib/small_weights.o -o exchanged) || fail "not linked"
expect 1 run.lib/exchanged

# Weights of another model or another build are not found.
sed 's/dense(24)/dense(25)/' small.mdl >wider.mdl
expect 0 mlc train wider.mdl --out wider -q --set train.epochs=1
expect 0 mlc build wider --weights apart --rows 1,3 -o wider.lib
expect 1 "$CC" run.lib/small_test.c run.lib/libsmall.a wider.lib/small_weights.o -o none
says err "small_weights_"
expect 1 "$CC" run.lib/small_test.c run.lib/libsmall.a -o none
# Of bytes, scales are a part of the code, so that only weights of the same build fit.
for name in run later; do expect 0 mlc build $name --int8 --weights apart --rows 1,3 -o $name.int8; done
runs run.int8
expect 1 "$CC" run.int8/small_test.c run.int8/libsmall.a later.int8/small_weights.o -o none

# The weights may lie in a shared library, in a program that is not at a fixed place, and beside another network.
(cd run.lib && "$CC" -shared -fPIC -Wl,--whole-archive libsmall.a -Wl,--no-whole-archive small_weights.o -o libshared.so &&
    "$CC" -fPIE -pie small_test.c -L. -lshared -Wl,-rpath,"$PWD" -o shared) || fail "no shared library"
expect 0 run.lib/shared
if command -v cmake >/dev/null; then
    printf 'cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_subdirectory(run.lib)\nadd_executable(p run.lib/small_test.c)\ntarget_link_libraries(p PRIVATE small)\n' >CMakeLists.txt
    expect 0 cmake -B made
    expect 0 cmake --build made
    expect 0 made/p
fi

# A training begins with them; its state is that of the code, whatever weights it began with.
expect 0 mlc build run --weights apart --train -o trains
test_program trains small_test.c libsmall.a small_weights.o
says out "small_step: 3 of 3 losses bit-equal"

# As a source, in C and C++, and for other platforms.
expect 0 mlc build run --weights apart --rows 1,3 --form c -o source
says out "B apart | C99"
test_program source small.c small_weights.c small_test.c
says out "16 of 16 rows"
if command -v c++ >/dev/null; then
    for file in small small_weights small_test; do cp source/$file.c source/$file.cc; done
    # shellcheck disable=SC2086
    (cd source && c++ -std=c++17 -O1 $warnings small.cc small_weights.cc small_test.cc -o cc_test) || fail "source as C++"
    expect 0 source/cc_test
fi
expect 0 mlc build wider --weights apart --rows 1,3 --form c -o other
expect 1 "$CC" source/small.c other/small_weights.c source/small_test.c -lm -o none
for target in cortex-m4 riscv64-linux aarch64-linux; do
    expect 0 mlc build run --weights apart --rows 1,3 --target $target -o $target
done
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    expect 0 aarch64-linux-gnu-gcc -static aarch64-linux/small_test.c aarch64-linux/libsmall.a aarch64-linux/small_weights.o -o arm
    expect 0 qemu-aarch64 ./arm
    says out "16 of 16 rows"
fi

# What cannot be.
for form in wasm html; do
    expect 2 mlc build run --weights apart --form $form -o none
    says err "--weights apart is for C"
done
says err "a page always has its weights in it"
[[ ! -e none ]] || fail "files were written"
finish
