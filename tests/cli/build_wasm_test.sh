#!/usr/bin/env bash
# mlc build --form wasm makes networks for browsers. Both modules give the bits of mlc predict and mlc train in node.
source "$(dirname "$0")/common.sh"
for program in node wasm-ld-19; do
    command -v $program >/dev/null || { echo "skipped: $program is missing; tools/setup.sh installs it" && exit 0; }
done

# tests NAME: the test program finds everything equal, without the relaxed multiply-add, and with it if node has it.
tests() {
    for options in --experimental-wasm-relaxed-simd ''; do
        # shellcheck disable=SC2086
        expect 0 node $options "$1/$1_test.mjs"
        says out "exact $1_run: rows: 16 of 16 bit-equal"
    done
}

model_with_states 'conv(4, kernel = 3) |> batch_norm |> relu |> max_pool(2) |> flatten |> dense(20, init = normal(0, 0.05)) |> dropout(0.2) |> gelu |> dense(10, init = orthogonal)'
expect 0 mlc train net.mdl --out run -q
expect 0 mlc export run --to run.safetensors
scratch_hash=$(sed 's/.*hash //' "$scratch/out")
expect 0 mlc train net.mdl --weights run --out run2 -q
expect 0 mlc export run2 --to run2.safetensors
further_hash=$(sed 's/.*hash //' "$scratch/out")
expect 0 mlc build run --form wasm --train --rows 1,3
says out "B relaxed, " "B exact | memory " "net_step: state "
there net/net.js net/net.relaxed.wasm net/net.exact.wasm net/net.weights net/{net.json,package.json,README.md}
tests net
says out "exact net_step: losses: 3 of 3" "exact net_step: weights: 1 of 1" "rows after the steps: 16 of 16"
cp -r net again
expect 0 mlc build run --form wasm --train --rows 1,3
for file in net/*; do same "$file" "again/${file#net/}"; done

cat >train.mjs <<'END'
import { readFileSync, writeFileSync } from "node:fs";
import { load, facts } from "./net/net.js";
const net = await load({ relaxed: false }), images = readFileSync("images").subarray(16), labels = readFileSync("labels").subarray(8);
const module = new WebAssembly.Module(readFileSync("net/net.exact.wasm"));
console.log("imports", WebAssembly.Module.imports(module).length);
try { net.exports.memory.grow(1); } catch { console.log("the memory cannot grow"); }
console.log("memory", net.exports.memory.buffer.byteLength === facts.memory_bytes);
console.log("loaded", net.hash());
writeFileSync("net.safetensors", net.safetensors());
const steps = (count) => {
    let loss;
    for (let i = 0; i < count; i++) {
        const first = i % 10 * 61;
        loss = net.step({ image: images.subarray(first * 144, (first + 61) * 144), label: labels.subarray(first, first + 61) });
    }
    return loss;
};
steps(30);
console.log("further", net.hash());
net.fresh();
steps(7);
const kept = net.state().slice();
steps(2);
net.state().set(kept);
for (let i = 7; i < 30; i++) {
    const first = i % 10 * 61;
    net.step({ image: images.subarray(first * 144, (first + 61) * 144), label: labels.subarray(first, first + 61) });
}
console.log("scratch", net.hash());
net.openSafetensors(readFileSync("run2.safetensors"));
console.log("opened", net.hash());
const { logits } = net.run({ image: images.subarray(0, 144 * 5) });
console.log("rows", logits.length, net.className("logits", logits.subarray(0, 10)));
for (const wrong of [() => net.step({ image: images.subarray(0, 144), label: [0] }), () => net.run({ image: images.subarray(0, 143) }), () => net.run({}),
    () => net.openSafetensors(readFileSync("labels")), () => { kept[0] ^= 1; net.state().set(kept); steps(1); }])
    try { wrong(); } catch (error) { console.log(error.message); }
END
expect 0 node train.mjs
says out "imports 0" "the memory cannot grow" "memory true" "loaded $scratch_hash" "further $further_hash" "scratch $scratch_hash" "opened $further_hash" "rows 50 " \
    "a step takes 61 rows, not 1" "the input 'image' has 143 numbers: 144 make a row" "the input 'image' is missing" \
    "the file is no .safetensors file" "the state was made by another build"
same run.safetensors net.safetensors

# A table: columns by name, text by its categories, a missing number.
cat >houses.csv <<'END'
town,area,rooms,price
Oslo,50,2,100
Rome,80,,220
Oslo,120,5,260
Rome,60,3,170
Oslo,90,4,200
Rome,70,2,200
END
cat >houses.mdl <<'END'
mdl 1
data {
    source = csv("houses.csv")
    field town  = source.town |> one_hot
    field x     = source |> columns(["area", "rooms"]) |> impute("mean") |> standardize
    field price = source.price |> unsqueeze(1)
}
model houses(town, x) -> guess { guess = concat([town, x], axis = 1) |> dense(4) |> tanh |> dense(1) }
train {
    loss      = mse(guess, price)
    optimizer = sgd(lr = 0.001)
    epochs    = 2
}
END
expect 0 mlc train houses.mdl --out houses_run -q
expect 0 mlc build houses_run --form wasm --train --name houses
tests houses
cat >houses.mjs <<'END'
import { load } from "./houses/houses.js";
const net = await load(), one = net.run({ town: "Rome", area: 80, rooms: null }).guess;
const two = net.run({ town: ["Oslo", "Rome"], area: Float64Array.of(50, 80), rooms: [2, NaN] }).guess;
console.log(one[0] === two[1], one[0]);
END
expect 0 node houses.mjs
says out "true "
guess=$(sed 's/true //' "$scratch/out")
printf 'town,area,rooms\nRome,80,\n' >one.csv
expect 0 mlc predict houses_run one.csv --json
node -e "process.exit(Math.fround(JSON.parse(require('fs').readFileSync('$scratch/out')).rows[0].outputs.guess) === $guess ? 0 : 1)" 2>/dev/null ||
    grep -q "$(cut -c1-7 <<<"$guess")" "$scratch/out" || fail "mlc predict says another guess than $guess: $(cat "$scratch/out")"

# A call with so many rows does not fit into 32 bits of addresses.
sed 's/|> conv.*/|> flatten |> dense(20000) |> relu |> dense(10)/; /gelu/d; s/batch .*/batch = 10/; s/epochs .*/epochs = 1/; /accumulate/d' net.mdl >big.mdl
expect 0 mlc train big.mdl --out big -q
expect 3 mlc build big --form wasm --rows 65536 -o none
says err "MB of memory, and WebAssembly has 4000" "take fewer rows by --rows"

# Options that contradict each other, and a missing linker.
expect 2 mlc build run --form wasm --target aarch64-linux -o none
says err "--target is for machine code: --form wasm makes modules for all browsers"
expect 7 mlc build run --form wasm --expect 'code<=100' -o none
mkdir empty
PATH=$scratch/bin:$scratch/work/empty expect 5 mlc build run --form wasm -o none
says err "cannot run the linker wasm-ld-19" "apt-get install lld-19"
[[ ! -e none ]] || fail "files were written"
finish
