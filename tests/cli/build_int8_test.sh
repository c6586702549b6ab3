#!/usr/bin/env bash
# Networks of bytes: mlc build --int8. Every form and platform gives the same bits, weights take a quarter, and what cannot be done is an
# error.
source "$(dirname "$0")/common.sh"

# net NAME FIELD LAYERS: trains a network of these layers in the folder NAME.
net() {
    cat >"$1.mdl" <<END
mdl 1
data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)
    field image = $2
    field label = source.label
}
model $1(image) -> logits {
    $3
}
train {
    loss      = cross_entropy(logits, label)
    optimizer = adam(lr = 0.01)
    batch     = 50
    epochs    = 2
    seed      = 7
    metrics   = [accuracy(logits, label)]
}
END
    expect 0 mlc train "$1.mdl" --out "$1.run" -q
}

small_model # for its data
net plain 'source.image / 255' 'logits = image |> flatten |> dense(24) |> relu |> dense(10)'
# All that a product may stand between: bytes of the data, zeros around numbers that are not bytes, batch normalization, a branch that is
# added, functions, products that share their operand.
net wide '(source.image / 255 - 0.13) / 0.31' 'x = image |> conv(4, kernel = 3, pad = "same") |> batch_norm |> relu
    y = x |> conv(4, kernel = 3, pad = "same", bias = false) |> batch_norm
    z = (x + y) |> relu |> max_pool(2) |> conv(6, kernel = 3, stride = 2) |> gelu |> flatten
    logits = (z |> dense(16) |> tanh |> dense(10)) + (z |> dense(10)) + (z |> dense(8) |> dense(10))'

# The test program finds all rows equal, at every level, for every CPU and as a source; the same outputs are expected everywhere.
for name in plain wide; do
    expect 0 mlc build $name.run --int8 --rows 1,3 -o $name
    says out "int8: accuracy " " -> " "loss " "test rows" "${name}_run_3: scratch "
    needs_nothing $name/lib$name.a
    test_program $name ${name}_test.c lib$name.a
    says out "${name}_run: 16 of 16 rows bit-equal" "${name}_run_3: 18 of 18 rows bit-equal"
    for options in '--cpu x86-64' '-O0' '-O1 --cpu x86-64-v2' '-O3'; do
        # shellcheck disable=SC2086
        expect 0 mlc build $name.run --int8 --rows 1,3 -o other.$name $options
        same $name/${name}_test.c other.$name/${name}_test.c
        "$CC" other.$name/${name}_test.c other.$name/lib$name.a -o other.$name/test
        expect 0 other.$name/test
    done
    expect 0 mlc build $name.run --int8 --rows 1,3 --cpu x86-64-v4 -o v4.$name # this machine need not be able to run it
    # Compilers take long for the wide network, so its source has one function; that of the other network has two. Each network is compiled
    # with optimization by one compiler and without it by the other one.
    rows=1,3 levels=(gcc:-O3 clang:-O0)
    [[ $name == wide ]] && rows=1 levels=(gcc:-O0 clang:-O3)
    expect 0 mlc build $name.run --int8 --rows $rows --form c -o source.$name
    for level in "${levels[@]}"; do
        command -v ${level%:*} >/dev/null || continue
        # shellcheck disable=SC2086
        (cd source.$name && ${level%:*} -std=c99 ${level#*:} $warnings ${name}_test.c $name.c -lm -o test) || fail "$name: $level"
        expect 0 source.$name/test
        says out "16 of 16 rows bit-equal"
    done
done

# Other platforms, where a cross compiler and qemu are.
for target in aarch64 riscv64; do
    expect 0 mlc build wide.run --int8 --rows 1,3 --target $target-linux -o $target
    same wide/wide_test.c $target/wide_test.c
    { command -v $target-linux-gnu-gcc && command -v qemu-$target; } >/dev/null || continue
    expect 0 $target-linux-gnu-gcc -O1 -static $target/wide_test.c $target/libwide.a -o $target/test
    expect 0 qemu-$target $target/test
    says out "wide_run: 16 of 16 rows bit-equal"
done
expect 0 mlc build wide.run --int8 --target cortex-m4 --rows 1,3 -o m4
same wide/wide_test.c m4/wide_test.c
if echo 'int main(void) { return 0; }' | arm-none-eabi-gcc --specs=rdimon.specs -x c - -o probe 2>/dev/null && command -v qemu-system-arm >/dev/null; then
    expect 0 arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mthumb -mfloat-abi=hard -O1 --specs=rdimon.specs -nostartfiles \
        "$root/tests/cli/cortex_m.c" m4/wide_test.c m4/libwide.a -T "$root/tests/cli/cortex_m.ld" -o m4.elf
    expect 0 timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native -kernel m4.elf
    says out "wide_run: 16 of 16 rows bit-equal"
fi
if command -v wasm-ld-19 >/dev/null; then
    expect 0 mlc build wide.run --int8 --rows 1,3 --form wasm -o web
    says out "int8: accuracy " "relaxed"
    for options in --experimental-wasm-relaxed-simd ''; do
        command -v node >/dev/null || break
        # shellcheck disable=SC2086
        expect 0 node $options web/wide_test.mjs
    done
fi

# Weights take about a quarter. The stack is as large as a painted one shows, and nothing is written beside scratch.
expect 0 mlc build plain.run --name full
bytes() { sed -n "s/.*_WEIGHTS_BYTES *\([0-9]*\) .*/\1/p" "$1"; }
(($(bytes plain/plain.h) * 7 < $(bytes full/full.h) * 2)) || fail "weights: $(bytes plain/plain.h) of $(bytes full/full.h) bytes"
size=$(readelf -SW plain/libplain.a | sed -n 's/.*\.rodata\.plain_weights *PROGBITS *[0-9a-f]* *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
[[ $((16#$size)) = "$(bytes plain/plain.h)" ]] || fail "the section of the weights has another size"
cat >stack.c <<'END'
#include "wide.h"
#include "stack_use.h"
static uint8_t image[WIDE_IMAGE];
static float logits[WIDE_LOGITS];
static struct {
    wide_scratch scratch;
    unsigned char guard[64];
} memory;
int main(void) {
    for (int i = 0; i < 64; i++) memory.guard[i] = 0xa5;
    size_t used = stack_use((void *)wide_run, image, logits, &memory.scratch, 0);
    printf("%zu bytes of the stack, %d stated\n", used, (int)WIDE_STACK_BYTES);
    for (int i = 0; i < 64; i++)
        if (memory.guard[i] != 0xa5) return 2;
    return used > WIDE_STACK_BYTES || used + 16 <= WIDE_STACK_BYTES;
}
END
if [[ $(uname -m) == x86_64 ]]; then
    expect 0 mlc build wide.run --int8 --rows 1,3 --cpu x86-64-v3 -o one # of two codes, the stack is that of the deeper one
    expect 0 "$CC" -Ione -I"$root/tests/cli" stack.c one/libwide.a -o stack
    expect 0 ./stack
fi

# Both networks are measured on the test rows, the first one as mlc eval measures it; the same run gives the same bytes.
expect 0 mlc eval wide.run --json
jq -S '{loss, accuracy}' "$scratch/out" >evaluated
expect 0 mlc build wide.run --int8 --json --dry-run --calibrate 100
jq -S .int8.before "$scratch/out" >before
same evaluated before
jq -e '.int8 | .layers == 8 and .calibration_rows == 100 and .rows == 203 and .split == "test" and .after.loss != .before.loss' "$scratch/out" >/dev/null ||
    fail "JSON: $(jq -c .int8 "$scratch/out")"
jq -e '.int8 | (.after.accuracy - .before.accuracy) | . > -0.05 and . < 0.05' "$scratch/out" >/dev/null || fail "accuracy: $(jq -c .int8 "$scratch/out")"
expect 0 mlc build wide.run --int8 --rows 1,3 -o again
for file in wide.h libwide.a wide_test.c wide.json; do same wide/$file again/$file; done
expect 0 mlc build wide.run --int8 --calibrate 10000 --max-loss 100 --dry-run # as many rows as there are

# The loss can be limited. The answers of a network that is hardly trained are close to each other, and one row tells little of the others.
expect 0 mlc train plain.mdl --set train.seed=4 --set 'train.optimizer=sgd(lr = 1e-6)' --set train.epochs=1 --out weak.run -q
expect 7 mlc build weak.run --int8 --calibrate 1 --max-loss 0.5 -o none
says err "accuracy falls by 0.99 points, and --max-loss allows 0.5"
expect 0 mlc build weak.run --int8 --calibrate 1 --max-loss 1 --dry-run
expect 0 mlc build weak.run --int8 --max-loss 0 --dry-run

# What cannot be.
expect 2 mlc build plain.run --int8 --train -o none
says err "--train and --int8 exclude each other"
expect 2 mlc build plain.run --max-loss 1 -o none
says err "--max-loss and --calibrate are for --int8"
expect 2 mlc build plain.run --calibrate 10 -o none
says err "--max-loss and --calibrate are for --int8"
for number in x -1 101 nan ''; do
    expect 2 mlc build plain.run --int8 --max-loss "$number" -o none
    says err "--max-loss takes percentage points from 0 to 100"
done
expect 2 mlc build plain.run --int8 --calibrate 0 -o none
sed 's/metrics .*//' plain.mdl >bare.mdl
expect 0 mlc train bare.mdl --out bare.run -q
expect 2 mlc build bare.run --int8 --max-loss 1 -o none
says err "--max-loss needs a metric that is a percentage" "metrics = [accuracy(...)]"
sed 's/logits = .*/logits = flatten(image)[:, 0:10] * weight([10])/' plain.mdl >flat.mdl
expect 0 mlc train flat.mdl --out flat.run -q
expect 3 mlc build flat.run --int8 -o none
says err "no layer that could be computed with bytes" "dense and convolutional layers can"
# A weight that is not a number: the file of the run is damaged on purpose.
cp -r plain.run spoilt.run
file=spoilt.run/last.safetensors
length=$(($(od -An -tu8 -N 8 $file)))
at=$(head -c $((8 + length)) $file | tail -c $length | jq '."dense1.weight".data_offsets[0]')
printf '\0\0\300\177' | dd of=$file bs=1 seek=$((8 + length + at)) conv=notrunc status=none
expect 6 mlc build spoilt.run --int8 -o none
says err "--int8: 'dense1.weight' has a number that is not finite"

mv images away
expect 4 mlc build plain.run --int8 -o none
says err "neither 'images' nor a packed or unpacked form of it is there"
mv away images
[[ ! -e none ]] || fail "files were written"
finish
