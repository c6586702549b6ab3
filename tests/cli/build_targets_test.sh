#!/usr/bin/env bash
# mlc build --target ships networks for other platforms. If a cross compiler and qemu are installed, the test program runs.
source "$(dirname "$0")/common.sh"

# train_network NAME: trains the model on stdin for an epoch, in the folder NAME.
train_network() {
    cat >"$1.mdl" <<END
mdl 1
$(data_of_digits)
$(cat)
train {
    loss      = cross_entropy(logits, label)
    optimizer = adam(lr = 0.01)
    batch     = 50
    epochs    = 1
}
END
    expect 0 mlc train "$1.mdl" --out "$1" -q
}

small_model
train_network wide <<'END'
model wide(image) -> (logits, size) {
    x = image |> conv(4, kernel = 3, pad = "same") |> batch_norm |> gelu |> max_pool(2) |> flatten |> layer_norm
    logits = x |> dense(16) |> silu |> dense(10)
    size = exp(sum(x, axis = 1, keep = true) / 100) + sqrt(abs(log(sigmoid(logits))))
}
END
ran=0
for target in x86_64 aarch64 riscv64; do
    expect 0 mlc build wide --target $target-linux --rows 1,3 -o $target
    says out "wide_run_3: scratch "
    ! readelf -sW $target/libwide.a | grep -v 'NOTYPE  LOCAL  DEFAULT  UND $' | grep -w UND || fail "$target: needs symbols"
    cross=$target-linux-gnu-gcc
    [[ $target != x86_64 || $(uname -m) != x86_64 ]] || cross="${CC:-cc}"
    command -v $cross >/dev/null || continue
    (cd $target && $cross -O1 -static -Wall -Wextra -Werror wide_test.c libwide.a -o wide_test) || fail "$target: $cross"
    emulator=qemu-$target
    [[ $target != "$(uname -m)" ]] || emulator=
    [[ -z $emulator ]] || command -v $emulator >/dev/null || continue
    expect 0 $emulator ./$target/wide_test
    says out "wide_run: 16 of 16 rows bit-equal" "wide_run_3: 18 of 18 rows bit-equal"
    ran=$((ran + 1))
done
# Microcontrollers: CPU, board of qemu, options of the compiler, begin and length of code and data.
microcontroller() {
    local cpu=$1 board=$2 options=$3 code=$4 data=$5 length=$6 run=${7:-plain} how=${8:-}
    # shellcheck disable=SC2086
    expect 0 mlc build $run $how --name small --target cortex-$cpu --rows 1,3 -o $cpu
    ! readelf -sW $cpu/libsmall.a | grep -v 'NOTYPE  LOCAL  DEFAULT  UND $' | grep -w UND || fail "cortex-$cpu: needs symbols"
    { command -v arm-none-eabi-gcc && command -v qemu-system-arm; } >/dev/null || return
    echo 'int main(void) { return 0; }' | arm-none-eabi-gcc --specs=rdimon.specs -x c - -o probe 2>/dev/null || return # without its C library
    sed "s/ORIGIN = 0,/ORIGIN = $code,/; s/ORIGIN = 0x20000000/ORIGIN = $data/; s/LENGTH = 4M/LENGTH = $length/" "$root/tests/cli/cortex_m.ld" >$cpu.ld
    # shellcheck disable=SC2086
    expect 0 arm-none-eabi-gcc $options -mthumb -mfloat-abi=hard -O1 --specs=rdimon.specs -nostartfiles "$root/tests/cli/cortex_m.c" \
        $cpu/small_test.c $cpu/libsmall.a -T $cpu.ld -o $cpu.elf
    expect 0 timeout 60 qemu-system-arm -M $board -nographic -semihosting-config enable=on,target=native -kernel $cpu.elf
    says out "small_run: 16 of 16 rows bit-equal" "small_run_3: 18 of 18 rows bit-equal"
}
small_model
expect 0 mlc train small.mdl --out plain -q --set train.epochs=1
microcontroller m4 mps2-an386 '-mcpu=cortex-m4 -mfpu=fpv4-sp-d16' 0 0x20000000 4M
# Small loops, not code for vectors: goals of the design are 1.5 kB for a network of dense layers, 5 kB for LeNet-5, and 256 bytes of stack.
train_network lenet <<'END'
model lenet(image) -> logits {
    x = image |> conv(6, kernel = 5, pad = "same") |> relu |> max_pool(2) |> conv(16, kernel = 3) |> relu |> max_pool(2)
    logits = x |> flatten |> dense(60) |> relu |> dense(10)
}
END
expect 0 mlc build plain --target cortex-m4 --dry-run --expect 'code<=1500' --expect 'stack<=256'
expect 0 mlc build lenet --target cortex-m4 --dry-run --expect 'code<=5000' --expect 'stack<=256'
# counted NAME TENTHS OPTION...: the network executes at most so many tenths of an instruction for a multiply-add. qemu counts them.
counted() {
    local tenths
    [[ -e m4.elf ]] || return
    expect 0 python3 "$root/bench/sizes.py" "$1" --mlc "$MLC" "${@:3}"
    tenths=$(awk -F'|' -v name="$1" '$2 ~ name { print $7 * 10 }' "$scratch/out")
    ((tenths > 0 && tenths <= $2)) || fail "$1 ${*:3}: $tenths tenths of an instruction"
}
counted plain 20 # weights are loaded several at a time
counted lenet 30
counted plain 18 --int8 # and multiplied two at a time
counted lenet 27 --int8
# Products whose rows and columns are no multiples of what is computed side by side; windows with strides and gaps.
train_network odd <<'END'
model odd(image) -> logits {
    x = image |> conv(3, kernel = 3, pad = "same") |> relu |> conv(9, kernel = 3, dilation = 2) |> relu
    y = image |> conv(11, kernel = 2, stride = 2) |> gelu |> max_pool(2)
    logits = concat([flatten(x), flatten(y)], axis = 1) |> dense(13) |> layer_norm |> dense(17) |> relu |> dense(10)
}
END
microcontroller m4 mps2-an386 '-mcpu=cortex-m4 -mfpu=fpv4-sp-d16' 0 0x20000000 4M odd
microcontroller m4 mps2-an386 '-mcpu=cortex-m4 -mfpu=fpv4-sp-d16' 0 0x20000000 4M odd --int8
microcontroller m4 mps2-an386 '-mcpu=cortex-m4 -mfpu=fpv4-sp-d16' 0 0x20000000 4M odd --train
says out "small_step: 3 of 3 losses bit-equal"
microcontroller m55 mps3-an547 '-mcpu=cortex-m55+nomve -mfpu=fpv5-d16' 0 0x20000000 512K odd --int8
microcontroller m7 mps2-an500 '-mcpu=cortex-m7 -mfpu=fpv5-d16' 0 0x20000000 4M
microcontroller m33 mps2-an505 '-mcpu=cortex-m33 -mfpu=fpv5-sp-d16' 0x10000000 0x38000000 4M
microcontroller m55 mps3-an547 '-mcpu=cortex-m55+nomve -mfpu=fpv5-d16' 0 0x20000000 512K

# Computed columns need double precision, which not every microcontroller has.
cp "$root/models/iris.csv" .
expect 0 mlc train "$root/models/iris.mdl" --set 'data.source=csv("iris.csv")' --set train.epochs=1 --out iris -q
expect 3 mlc build iris --target cortex-m4 -o none
says err "code for cortex-m4 would need the function" "need double precision; --target cortex-m7 has it"
expect 0 mlc build iris --target cortex-m7 --dry-run

((ran > 0)) || fail "no test program ran"
for file in wide.json wide.h; do ! cmp -s x86_64/$file riscv64/$file || fail "$file is the same for two platforms"; done
same x86_64/wide_test.c riscv64/wide_test.c # the same bits are expected everywhere

expect 2 mlc build wide --target aarch64-linx -o none
says err "unknown target 'aarch64-linx'" "did you mean 'aarch64-linux'?"
expect 2 mlc build wide --target vax -o none
says err "unknown target 'vax'" "the targets are"
expect 2 mlc build wide --target aarch64-linux --cpu haswell -o none
says err "--cpu haswell: code for aarch64-linux runs on all its CPUs; leave --cpu out"
[[ ! -e none ]] || fail "files were written"
finish
