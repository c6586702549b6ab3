#!/usr/bin/env bash
# Random networks have the bits of mlc predict on every target: machine code for several CPUs, C source from two compilers, with and without
# optimization (each level with other networks), other platforms and a microcontroller in qemu; modules for browsers in node. MLC_RANDOM_MODELS=100 takes so many
# networks (default: 2), from number MLC_RANDOM_FIRST on. What a machine does not have is left out, and the last line says what ran.
source "$(dirname "$0")/common.sh"
declare -A ran=()

# random_model NUMBER: net.mdl, whose layers follow from the number alone.
random_model() {
    awk -v number="$1" '
function below(n) { return int(rand() * n) }
function one_of(text, a) { return a[1 + below(split(text, a, " "))] }
function activation() { return one_of("relu tanh sigmoid gelu silu elu leaky_relu softplus abs sin relu relu gelu_tanh erf") }
function add(layer) { text = text " |> " layer }
function image_layer(kind, kernel, pad, stride, groups) {
    kind = one_of("conv conv conv batch_norm max_pool avg_pool depthwise conv_transpose residual")
    kernel = 1 + below(side < 5 ? side : 5)
    if (kind == "conv") {
        pad = below(2) ? below(kernel) : 0; stride = 1 + below(2)
        groups = channels % 2 == 0 && below(3) == 0 ? 2 : 1
        channels = groups * (1 + below(4))
        add("conv(" channels ", kernel = " kernel ", pad = " pad ", stride = " stride (groups > 1 ? ", groups = 2" : "") (below(5) ? "" : ", bias = false") ")")
        side = int((side + 2 * pad - kernel) / stride) + 1
    } else if (kind == "depthwise") { add("depthwise(kernel = " kernel ")"); side -= kernel - 1 }
    else if (kind == "conv_transpose" && side < 8) { channels = 1 + below(4); add("conv_transpose(" channels ", kernel = 2, stride = 2)"); side *= 2 }
    else if (kind ~ /_pool/ && side > 3) { add(kind "(2)"); side = int(side / 2) }
    else if (kind == "residual") text = "(" text " |> residual)"
    else add("batch_norm")
    if (below(3)) add(activation())
}
BEGIN {
    srand(number); rand(); text = "image"; channels = 1; side = 12
    for (layers = below(4); layers > 0; layers--) image_layer()
    add(below(6) || side > 6 || channels == 1 ? "flatten" : "global_avg_pool")
    for (layers = below(4); layers > 0; layers--) {
        add(one_of("dense dense dense layer_norm softmax clip") )
        if (text ~ /dense$/) text = text "(" 1 + below(40) ")"
        if (text ~ /clip$/) text = text "(-2, 3)"
        if (below(3)) add(activation())
    }
    printf "mdl 1\ndata {\n    source = idx(\"images\", \"labels\", test_images = \"test_images\", test_labels = \"test_labels\", classes = 10)\n"
    printf "    field image = source.image / 255\n    field label = source.label\n}\n"
    printf "def residual(x) = x + sigmoid(x) * %g\n", rand()
    printf "model net(image) -> (logits, more) {\n    x = %s\n    logits = dense(x, 10)\n    more = %s(dense(x, %d)) + mean(x, axis = 1, keep = true)\n}\n", text, activation(), 1 + below(9)
    printf "train {\n    loss      = cross_entropy(logits, label)\n    optimizer = %s(lr = 0.01)\n    batch     = %d\n    epochs    = 1\n    seed      = %d\n}\n", one_of("sgd adam rmsprop"), 16 + below(50), number
}' >net.mdl
}

# equal NAME COMMAND...: the test program finds all rows equal.
equal() {
    local name=$1
    shift
    expect 0 "$@"
    says out "net_run: 16 of 16 rows bit-equal" "net_run_3: 18 of 18 rows bit-equal"
    ran[$name]=$((${ran[$name]-0} + 1))
}

# Machine code for this machine: CPUs, each at a level that the number gives. Last, for AVX2 and AVX-512 in one object; qemu takes the first.
objects() {
    local cpu level=$number
    for cpu in x86-64 x86-64-v2 x86-64-v3 native both; do
        level=$(((level + 1) % 4))
        [[ $cpu == both ]] && set -- || set -- --cpu $cpu
        expect 0 mlc build run --rows 1,3 "$@" -O$level -o net
        expect 0 "$CC" net/net_test.c net/libnet.a -lm -o test
        equal "$cpu-O$level" ./test
        needs_nothing net/libnet.a
    done
    [[ $(uname -m) != x86_64 ]] || ! command -v qemu-x86_64 >/dev/null || equal both-AVX2 qemu-x86_64 -cpu max ./test
}

# The object and mlc predict answer the test rows alike. The csv holds numbers with all digits.
predictions() {
    expect 0 mlc predict run --split test --csv predicted.csv --quiet
    awk -F, 'NR == 1 { for (i = NF; i > 0; i--) if ($i ~ /^"?more/) from = i; next } { for (i = from; i <= NF && (i == from || $i != ""); i++) print $i }' predicted.csv >numbers
    cat >predict.c <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    static unsigned char images[16 + 203 * NET_IMAGE];
    static net_scratch scratch;
    float logits[NET_LOGITS], more[NET_MORE];
    char word[64];
    int rows, i, wrong = 0;
    FILE *in = fopen("test_images", "rb"), *numbers = fopen("numbers", "r");
    if (!in || !numbers || fread(images, 1, sizeof images, in) != sizeof images) return 2;
    for (rows = 0; rows < 203; rows++) {
        net_run(images + 16 + rows * NET_IMAGE, logits, more, &scratch);
        for (i = 0; i < NET_MORE; i++) {
            float expected;
            if (fscanf(numbers, "%63s", word) != 1) return 3;
            expected = strtof(word, NULL);
            wrong += memcmp(&expected, &more[i], sizeof expected) != 0;
        }
    }
    printf("%d of %d numbers differ\n", wrong, rows * NET_MORE);
    return wrong != 0 || fscanf(numbers, "%63s", word) == 1;
}
END
    expect 0 "$CC" -O1 -Inet predict.c net/libnet.a -lm -o predict
    expect 0 ./predict
    ran[predict]=$((${ran[predict]-0} + 1))
}

# C99: without optimization from one compiler, with it from the other one.
sources() {
    local compiler level=$((number % 2 * 3))
    expect 0 mlc build run --rows 1,3 --form c -o source
    for compiler in gcc clang; do
        command -v $compiler >/dev/null || continue
        expect 0 $compiler -std=c99 -O$level source/net.c source/net_test.c -lm -o test
        equal "$compiler-O$level" ./test
        level=$((3 - level))
    done
}

others() {
    local target
    for target in aarch64 riscv64; do
        command -v $target-linux-gnu-gcc >/dev/null && command -v qemu-$target >/dev/null || continue
        expect 0 mlc build run --rows 1,3 --target $target-linux -o other
        expect 0 $target-linux-gnu-gcc -O1 -static other/net_test.c other/libnet.a -lm -o test
        equal $target qemu-$target ./test
    done
    command -v arm-none-eabi-gcc >/dev/null && command -v qemu-system-arm >/dev/null || return
    expect 0 mlc build run --rows 1,3 --target cortex-m4 -o other
    expect 0 arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mthumb -mfloat-abi=hard -O1 --specs=rdimon.specs -nostartfiles "$root/tests/cli/cortex_m.c" \
        other/net_test.c other/libnet.a -T "$root/tests/cli/cortex_m.ld" -lm -o m4.elf
    equal cortex-m4 timeout 60 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native -kernel m4.elf
}

# Both modules: --experimental-wasm-relaxed-simd lets node take the relaxed one.
modules() {
    command -v node >/dev/null && command -v wasm-ld-19 >/dev/null || return
    expect 0 mlc build run --rows 1,3 --form wasm -o web
    expect 0 node --experimental-wasm-relaxed-simd web/net_test.mjs
    says out "exact net_run: rows: 16 of 16 bit-equal"
    ran[wasm]=$((${ran[wasm]-0} + 1))
    grep -q '^relaxed net_run: rows: 16 of 16 bit-equal' "$scratch/out" && ran[relaxed]=$((${ran[relaxed]-0} + 1))
}

"$MAKE_DATA" . 610 203
first=${MLC_RANDOM_FIRST:-1} count=${MLC_RANDOM_MODELS:-2}
for ((number = first; number < first + count; number++)); do
    before=$failures
    random_model $number
    expect 0 mlc train net.mdl --out run -q
    if ((failures == before)); then
        objects
        predictions
        sources
        others
        modules
    fi
    if ((failures > before)); then
        echo "network $number:"
        cat net.mdl
    fi
    rm -rf run net source other web
done
for name in "${!ran[@]}"; do echo "$name ${ran[$name]}"; done | sort | tr '\n' ';'
echo
finish
