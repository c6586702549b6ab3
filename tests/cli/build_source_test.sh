#!/usr/bin/env bash
# mlc build --form c makes a C source of a trained network. Every compiler gives the interpreter's bits at every level.
source "$(dirname "$0")/common.sh"

cat >net.mdl <<END
mdl 1
$(data_of_digits)
model net(image) -> (logits, size) {
    x = image |> conv(2, kernel = 3, pad = "same") |> batch_norm |> gelu |> max_pool(2) |> flatten |> layer_norm
    logits = x |> dense(12) |> dropout(0.2) |> silu |> dense(10)
    size = exp(sum(x, axis = 1, keep = true) / 100) + sqrt(abs(log(sigmoid(logits))))
}
train {
    loss      = cross_entropy(logits, label)
    optimizer = adamw(lr = cosine(0.01), decay = 0.01)
    batch     = 50
    epochs    = 1
}
END
"$MAKE_DATA" . 610 203
expect 0 mlc train net.mdl --out run -q
expect 0 mlc build run --form c
says out "weights " " B const | C99 | "
there net/{net.h,net.c,net_test.c,CMakeLists.txt,README.md,net.json}
! grep -q 'STACK_BYTES\|CODE_BYTES' net/net.h || fail "the header states what only a compiler knows"

# compiles COMMAND...: the compiled test program finds all rows equal.
compiles() {
    # shellcheck disable=SC2086
    expect 0 "$@" $warnings net.c net_test.c -lm -o test
    expect 0 ./test
    says out "net_run: 16 of 16 rows bit-equal"
}
cd net || exit 1
compiles "$CC" -std=c99 -O0
compiles "$CC" -std=gnu17 -O3 -march=native # gnu17 fuses products with sums unless told otherwise
if command -v clang >/dev/null; then compiles clang -std=c99 -O1 -ffp-contract=fast; fi
if command -v c++ >/dev/null; then
    cp net.c net.cc && cp net_test.c net_test.cc
    # shellcheck disable=SC2086
    expect 0 c++ -std=c++17 -O0 $warnings net.cc net_test.cc -o test
    expect 0 ./test
fi
expect 1 "$CC" -ffast-math -c net.c -o test.o
says err "-ffast-math changes the results"
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    expect 0 aarch64-linux-gnu-gcc -O1 -static net.c net_test.c -lm -o cross
    expect 0 qemu-aarch64 ./cross
    says out "net_run: 16 of 16 rows bit-equal"
fi
cd ..

# With the training, and with several rows a call.
expect 0 mlc build run --form c --rows 2 --train -o trains
says out "net_run_2: scratch " "net_step: state "
cd trains || exit 1
# shellcheck disable=SC2086
expect 0 "$CC" -std=c99 -O0 $warnings net.c net_test.c -lm -o test
expect 0 ./test
says out "net_run_2: 16 of 16 rows bit-equal" "net_step: 3 of 3 losses bit-equal"
cd ..

# For a processor without an FPU.
small_model
expect 0 mlc train small.mdl --out plain -q --set train.epochs=1
expect 0 mlc build plain --form c -o m3
if command -v arm-none-eabi-gcc >/dev/null && command -v qemu-system-arm >/dev/null &&
    echo 'int main(void) { return 0; }' | arm-none-eabi-gcc --specs=rdimon.specs -x c - -o probe 2>/dev/null; then
    expect 0 arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -O2 --specs=rdimon.specs -nostartfiles "$root/tests/cli/cortex_m.c" m3/small.c m3/small_test.c \
        -T "$root/tests/cli/cortex_m.ld" -lm -o m3.elf
    expect 0 timeout 60 qemu-system-arm -M mps2-an385 -nographic -semihosting-config enable=on,target=native -kernel m3.elf
    says out "small_run: 16 of 16 rows bit-equal"
fi

# A table with computed columns.
cp "$root/models/iris.csv" .
expect 0 mlc train "$root/models/iris.mdl" --set 'data.source=csv("iris.csv")' --set train.epochs=1 --out iris_run -q
expect 0 mlc build iris_run --form c
# shellcheck disable=SC2086
expect 0 "$CC" -std=c99 -O1 $warnings iris/iris.c iris/iris_test.c -lm -o iris/test
expect 0 ./iris/test
says out "iris_run: 16 of 16 rows bit-equal"

# Options that only machine code has are errors.
for option in '--target aarch64-linux' '--cpu haswell' '-O 1'; do
    # shellcheck disable=SC2086
    expect 2 mlc build run --form c $option -o nothing
    says err "${option%% *} is for machine code: --form c makes a source for all platforms"
done
expect 2 mlc build run --form c --expect 'stack<=100' -o nothing
says err "of a source, only weights and scratch are known"
expect 0 mlc build run --form c --expect 'scratch<=1000000' --dry-run
[[ ! -e nothing ]] || fail "files were written"
finish
