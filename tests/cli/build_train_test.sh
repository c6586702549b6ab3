#!/usr/bin/env bash
# mlc build --train makes a network that can be trained without mlc. Its steps have the bits of mlc train.
source "$(dirname "$0")/common.sh"

# trains NAME: the test program in folder NAME finds everything equal.
trains() {
    test_program "$1" "$1_test.c" "lib$1.a"
    says out "$1_run: 16 of 16 rows bit-equal" "$1_step: 3 of 3 losses bit-equal"
    needs_nothing "$1/lib$1.a"
}

model_with_states 'conv(4, kernel = 3) |> batch_norm |> relu |> max_pool(2) |> flatten |> dense(20) |> dropout(0.2) |> relu |> dense(10)'
expect 0 mlc train net.mdl --out run -q
expect 0 mlc build run --train
says out "net_step: state " "| 61 rows"
trains net
expect 0 mlc build run --train --cpu x86-64 --name old
trains old

# The same batches, starting from the same weights.
expect 0 mlc train net.mdl --weights run --out run2 -q
expect 0 mlc export run2 --to expected.safetensors
cat >steps.c <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
static unsigned char images[16 + 610 * NET_IMAGE], labels[8 + 610];
static void fill(const char *path, void *to, size_t bytes) {
    FILE *in = fopen(path, "rb");
    if (!in || fread(to, 1, bytes, in) != bytes) exit(9);
    fclose(in);
}
int main(int count, char **args) {
    static net_state state, copy;
    static net_step_scratch scratch;
    static net_scratch room;
    static float weights[NET_WEIGHT_NUMBERS];
    float loss = 0, logits[NET_LOGITS];
    fill("images", images, sizeof images);
    fill("labels", labels, sizeof labels);
    if (net_step(&state, images + 16, labels + 8, &loss, &scratch) != NET_WRONG_STATE) return 1;
    if (net_run_state(&state, images + 16, logits, &room) != NET_WRONG_STATE) return 2;
    if (net_state_check(&state) != NET_WRONG_STATE) return 4;
    if (count > 1)
        net_state_fresh(&state, strtoull(args[1], NULL, 10));
    else
        net_state_trained(&state);
    for (int i = 0; i < 30; i++) {
        int first = i % 10 * NET_STEP_ROWS;
        copy = state; /* it may be moved */
        if (net_step(&copy, images + 16 + first * NET_IMAGE, labels + 8 + first, &loss, &scratch) != NET_OK) return 3;
        state = copy;
    }
    net_state_weights(&state, weights);
    fwrite(weights, sizeof *weights, NET_WEIGHT_NUMBERS, stdout);
    return net_run_state(&state, images + 16, logits, &room);
}
END
expect 0 "$CC" -O1 -Inet steps.c net/libnet.a -o steps
./steps >weights || fail "steps ended with $?"
[[ $(wc -c <weights) == $((4 * $(sed -n 's/#define NET_WEIGHT_NUMBERS *\([0-9]*\) .*/\1/p' net/net.h))) ]] || fail "another number of weights"
tail -c "$(wc -c <weights)" expected.safetensors >expected
same expected weights

# Another training from the beginning: its first weights, and the numbers of dropout, are those of its seed.
expect 0 mlc train net.mdl --set train.seed=8589934599 --out run3 -q
expect 0 mlc export run3 --to expected.safetensors
./steps 8589934599 >weights || fail "steps ended with $?"
tail -c "$(wc -c <weights)" expected.safetensors >expected
same expected weights

# Without a run, a library begins with the first weights. Its schedule is that of mlc train, which knows the number of steps from the data.
rm -r net
expect 0 mlc build net.mdl --train --set train.seed=8589934599
trains net
expect 0 "$CC" -O1 -Inet steps.c net/libnet.a -o steps
./steps >weights || fail "steps ended with $?"
same expected weights
expect 2 mlc build net.mdl -o none
says err "'net.mdl' is a model, which has no trained weights" "with --train, a library begins with the first weights"
expect 2 mlc build net.mdl --train --checkpoint best -o none
says err "--checkpoint is for a run"
expect 2 mlc build run --set train.seed=7 -o none
says err "--set is for a model file, as a run has its settings"
expect 5 mlc build nothing.mdl --train -o none
[[ ! -e none ]] || fail "files were written"

# Two shares of 61 rows make a batch of 122. The weights change with the second one.
expect 0 mlc train net.mdl --set train.batch=122 --set train.replicas=2 --out cut -q
expect 0 mlc train net.mdl --set train.batch=122 --set train.replicas=2 --weights cut --out cut2 -q
expect 0 mlc export cut2 --to expected.safetensors
rm -r net
expect 0 mlc build cut --train
says out "| 61 rows"
trains net
expect 0 "$CC" -O1 -Inet steps.c net/libnet.a -o steps
./steps >weights || fail "steps ended with $?"
tail -c "$(wc -c <weights)" expected.safetensors >expected
same expected weights

# A table: the struct includes the label, which only training uses.
cp "$root"/models/iris.{csv,mdl} .
expect 0 mlc train "$root/models/iris.mdl" --set 'data.source=csv("iris.csv")' --set train.epochs=1 --out iris_run -q
expect 0 mlc build iris_run --train --rows 1,5 -o iris
trains iris
grep -q 'int32_t species; /\* column species, for training only: a number of the enumeration' iris/iris.h || fail "no label in the struct"
expect 0 mlc build iris_run --train --json --dry-run
says out '"training": {' '"state_bytes": ' '"name": "dense1.weight"'

# A table without a run: columns are standardized by the training rows, and weights of another run are taken.
expect 0 mlc build iris.mdl --train --name flowers
trains flowers
sed 's|train {|train {\n    weights = "iris_run"|' iris.mdl >more.mdl
expect 0 mlc build more.mdl --train --name more
says err "weights: 4 of 4 tensors taken from "
trains more

# The ways to draw the first weights. Orthogonal ones need memory that a state does not have.
for weight in 'uniform(-0.1, 0.3)' 'normal(0.7)' orthogonal; do
    layer='flatten |> dense(20, init = '$weight') |> relu |> dense(10)'
    model_with_states "$layer"
    rm -rf run net
    expect 0 mlc train net.mdl --set train.epochs=1 --out run -q
    expect 0 mlc build run --train
    trains net
    if [[ $weight == orthogonal ]]; then
        ! grep -q state_fresh net/net.h || fail "a new state with orthogonal weights"
    else
        grep -q 'net_state_fresh(&state, ' net/net_test.c || fail "no test of a new state"
        expect 0 mlc build run --train --target cortex-m7 -o m7
        needs_nothing m7/libnet.a
        expect 0 mlc build run --train --target cortex-m4 -o m4
        ! grep -q state_fresh m4/net.h || fail "doubles on a processor without them"
    fi
    rm -rf m4 m7
done

# A step that takes single rows.
weather_model
expect 0 mlc train weather.mdl --out weather_run -q
expect 0 mlc build weather_run --dry-run
expect 3 mlc build weather_run --train -o none
says err "--train: the model reads windows of a series, which a shipped step does not take"
[[ ! -e none ]] || fail "files were written"
finish
