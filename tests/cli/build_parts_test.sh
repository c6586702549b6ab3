#!/usr/bin/env bash
# Calls in parts, for several threads of the program: mlc build --threads. Parts in any order give the bits of whole calls, and on several
# threads ThreadSanitizer finds no race.
source "$(dirname "$0")/common.sh"

# passes FOLDER NAME: the test program, which calls the parts from the last one on, finds everything equal.
passes() {
    test_program "$1" "$2_test.c" "lib$2.a"
    needs_nothing "$1/lib$2.a"
}
constant() { sed -n "s/#define $2 *\([0-9]*\) .*/\1/p" "$1"; }

# A convolution between two barriers; products that are divided by rows, and pixels that every part converts for itself.
small_model
layers() { sed "s/flatten |> dense(24)/$1 |> dense(256) |> relu |> dense(128)/; s/batch     = 50/batch = 64/" small.mdl; }
layers 'conv(8, kernel = 5) |> relu |> flatten' >deep.mdl
layers flatten >flat.mdl
for model in deep flat; do
    expect 0 mlc train $model.mdl --out $model.run -q --set train.epochs=1
    expect 0 mlc build $model.run --name $model --rows 1,64 --train --threads 3
    says out "phases in parts | 64 rows"
    passes $model $model
    says out "${model}_run_part: 48 of 48 rows" "${model}_run_64_part: 192 of 192 rows" "${model}_step_part: 3 of 3 losses"
    (($(constant $model/$model.h "${model^^}_STEP_PHASES") >= 2)) || fail "$model: a step is not divided"
done
grep -q '"parts": 3' deep/deep.json || fail "no parts in the JSON"
(($(constant deep/deep.h DEEP_PHASES_64) >= 4)) || fail "convolutions are not divided"
mlc dump-ir flat.mdl --after plan --threads 3 >plan
grep -q 'on every thread' plan && grep -q 'by rows, 3 threads' plan || fail "the model has no replicated kernel, or none by rows"

# Whole calls are those of a library without parts.
expect 0 mlc build deep.run --name deep --rows 1,64 --train -o whole
expect 0 mlc build deep.run --name deep --rows 1,64 --train --threads 1 -o one
for file in deep.h libdeep.a deep_test.c deep.json; do same whole/$file one/$file; done
expected() { sed -n '/uint32_t expected_logits/,/};/p' "$1/deep_test.c"; }
[[ $(expected whole) == "$(expected deep)" ]] || fail "other answers than without parts"

# The same as a source, on threads that wait for each other after each phase. ThreadSanitizer finds no race; without the waiting it does.
cat >threads.c <<'END'
#include NAME_H
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define N(b) JOIN(NAME, b)
#define C(b) JOIN(CAPITALS, b)
enum { PARTS = 3, STEPS = 4, TEAMS = 2 };
static uint8_t image[64 * C(_IMAGE)], label[64];
typedef struct {
    N(_state) state;
    N(_step_scratch) scratch;
    N(_scratch_64) room;
    float loss, logits[64 * C(_LOGITS)];
    pthread_barrier_t barrier;
    int failed;
} Team;
static Team teams[TEAMS];
static Team whole;
typedef struct {
    Team *team;
    int part;
} Worker;
static int waits;
static void wait_for_all(Team *team) {
    if (waits) pthread_barrier_wait(&team->barrier);
}
static void *work(void *context) {
    const Worker *worker = context;
    Team *team = worker->team;
    int part = worker->part, phase, step, bad = 0;
    for (step = 0; step < STEPS; step++)
        for (phase = 0; phase < C(_STEP_PHASES); phase++, wait_for_all(team))
            bad |= (int)N(_step_part)(phase, part, PARTS, &team->state, image, label, &team->loss, &team->scratch);
    for (phase = 0; phase < C(_PHASES_64); phase++, wait_for_all(team))
        bad |= (int)N(_run_state_64_part)(phase, part, PARTS, &team->state, image, team->logits, &team->room);
    if (bad) team->failed = 1 + part;
    return NULL;
}
int main(int argc, char **argv) {
    static pthread_t threads[TEAMS][PARTS];
    static Worker workers[TEAMS][PARTS];
    int i, k, wrong = 0;
    waits = argc > 1 && !strcmp(argv[1], "wait");
    srand(5);
    for (i = 0; i < 64 * C(_IMAGE); i++) image[i] = (uint8_t)rand();
    for (i = 0; i < 64; i++) label[i] = (uint8_t)(rand() % 10);
    N(_state_trained)(&whole.state);
    for (i = 0; i < STEPS; i++) wrong |= (int)N(_step)(&whole.state, image, label, &whole.loss, &whole.scratch);
    wrong |= (int)N(_run_state_64)(&whole.state, image, whole.logits, &whole.room);
    for (i = 0; i < TEAMS; i++) {
        N(_state_trained)(&teams[i].state);
        pthread_barrier_init(&teams[i].barrier, NULL, PARTS);
        for (k = 0; k < PARTS; k++) {
            workers[i][k].team = &teams[i];
            workers[i][k].part = k;
            pthread_create(&threads[i][k], NULL, work, &workers[i][k]);
        }
    }
    for (i = 0; i < TEAMS; i++)
        for (k = 0; k < PARTS; k++) pthread_join(threads[i][k], NULL);
    for (i = 0; i < TEAMS; i++)
        wrong |= teams[i].failed || memcmp(&teams[i].state, &whole.state, sizeof whole.state) || memcmp(teams[i].logits, whole.logits, sizeof whole.logits);
    printf("%s\n", wrong ? "differs" : "equal");
    return wrong != 0;
}
END
for model in deep flat; do
    defines="-DNAME=$model -DCAPITALS=${model^^} -DNAME_H=\"$model.h\" -pthread"
    # shellcheck disable=SC2086
    expect 0 "$CC" -O1 $defines -I$model threads.c $model/lib$model.a -o $model.threads
    expect 0 ./$model.threads wait
    says out equal
    expect 0 mlc build $model.run --name $model --rows 1,64 --train --threads 3 --form c -o $model.c
    test_program $model.c $model.c ${model}_test.c
    says out "${model}_step_part: 3 of 3 losses"
    [[ $model == flat ]] || continue # ThreadSanitizer takes long for a convolution in C
    # shellcheck disable=SC2086
    "$CC" -O1 -fsanitize=thread $defines -I$model.c threads.c $model.c/$model.c -lm -o $model.tsan 2>/dev/null || { echo "skipped: no ThreadSanitizer"; continue; }
    TSAN_OPTIONS=exitcode=66 expect 0 ./$model.tsan wait
    says out equal
    TSAN_OPTIONS=exitcode=66:halt_on_error=1 expect 66 ./$model.tsan rush
done
if command -v c++ >/dev/null; then
    cp deep.c/deep.c deep.c/deep_source.cc
    expect 0 c++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Werror -Ideep.c -c deep.c/deep_source.cc -o deep.o
fi

# Numbers that cannot be, and the deepest use of the stack.
cat >wrong.c <<'END'
#include "deep.h"
#include <stdio.h>
int main(void) {
    static uint8_t image[64 * DEEP_IMAGE];
    static float logits[64 * DEEP_LOGITS] = {7};
    static deep_scratch_64 scratch;
    const int numbers[][3] = {{-1, 0, 1}, {DEEP_PHASES_64, 0, 1}, {0, -1, 1}, {0, 1, 1}, {0, 0, 0}, {0, 0, -1}, {0, 0, DEEP_PARTS + 1}, {0, 3, 3}};
    int i, wrong = 0;
    for (i = 0; i < 8; i++)
        wrong += deep_run_64_part(numbers[i][0], numbers[i][1], numbers[i][2], image, logits, &scratch) != DEEP_WRONG_PART;
    wrong += deep_run_64_part(0, 0, 1, image, logits, (deep_scratch_64 *)(void *)((char *)&scratch + 4)) != DEEP_MISALIGNED;
    printf("%d wrong, %g\n", wrong, (double)logits[0]);
    return wrong;
}
END
expect 0 "$CC" -Ideep wrong.c deep/libdeep.a -o wrong
expect 0 ./wrong
says out "0 wrong, 7"
cat >stack.c <<'END'
#include "deep.h"
#include "stack_use.h"
static uint8_t image[64 * DEEP_IMAGE];
static float logits[64 * DEEP_LOGITS];
static deep_scratch_64 scratch;
static int phase;
static void call(void *a, void *b, void *c) { deep_run_64_part(phase, 0, 2, a, b, c); }
int main(void) {
    size_t deepest = 0, used;
    for (phase = 0; phase < DEEP_PHASES_64; phase++) {
        used = stack_use((void *)call, image, logits, &scratch, 0);
        deepest = used > deepest ? used : deepest;
    }
    printf("%zu bytes of the stack, %d stated\n", deepest, DEEP_PART_STACK_BYTES_64);
    return deepest < DEEP_PART_STACK_BYTES_64 || deepest > DEEP_PART_STACK_BYTES_64 + 128; /* `call` needs some */
}
END
if [[ $(uname -m) == x86_64 ]]; then
    expect 0 mlc build deep.run --name deep --rows 1,64 --train --threads 3 --cpu x86-64-v3 -o deep.one
    expect 0 "$CC" -O1 -Ideep.one -I"$root/tests/cli" stack.c deep.one/libdeep.a -o stack
    expect 0 ./stack
fi

# Inputs that are computed from the columns of a table, weights that are given or apart, bytes, and other platforms.
awk 'BEGIN { srand(3); print "a,b,town,y"; for (i = 0; i < 300; i++) { a = rand() * 9; b = rand(); printf "%g,%g,%s,%g\n", a, b, substr("xyz", 1 + int(rand() * 3), 1), a * b } }' >table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = concat([source |> columns(["a", "b"]) |> standardize, source |> columns("town") |> one_hot], axis = 1)
    field y = source |> columns("y")
    test = 0.2
}
model table(x) -> out {
    out = x |> dense(256) |> tanh |> dense(256) |> tanh |> dense(1)
}
train {
    loss      = mse(out, y)
    optimizer = adam(lr = 0.01)
    batch     = 64
    epochs    = 1
}
END
expect 0 mlc train table.mdl --out table.run -q
for more in '--train' '--int8' '--weights given' '--weights apart' '--train --form c'; do
    # shellcheck disable=SC2086
    expect 0 mlc build table.run --rows 2,96 --threads 4 $more -o table
    case $more in
    *apart) test_program table table_test.c libtable.a table_weights.o ;;
    *c) test_program table table_test.c table.c ;;
    *) passes table table ;;
    esac
    says out "table_run_2_part: 64 of 64 rows" "table_run_96_part: 384 of 384 rows"
    rm -r table
done
expect 0 mlc build deep.run --name deep --rows 1,64 --threads 2 --target cortex-m33 -o m33
! readelf -sW m33/libdeep.a | grep -v 'NOTYPE  LOCAL  DEFAULT  UND $' | grep -w UND || fail "cortex-m33: needs symbols"
expect 0 mlc build flat.run --name flat --rows 1,64 --threads 2 --train --target aarch64-linux -o arm
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    expect 0 aarch64-linux-gnu-gcc -static arm/flat_test.c arm/libflat.a -o arm.test
    expect 0 qemu-aarch64 ./arm.test
    says out "flat_run_64_part: 128 of 128 rows" "flat_step_part: 3 of 3 losses"
fi

# What cannot be.
for form in wasm html; do
    expect 2 mlc build deep.run --threads 2 --form $form -o none
    says err "--threads is for C: modules for browsers run on one thread"
done
for number in 0 65 x; do
    expect 2 mlc build deep.run --threads $number -o none
    says err "--threads"
done
[[ ! -e none ]] || fail "files were written"
finish
