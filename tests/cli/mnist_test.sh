#!/usr/bin/env bash
# models/mnist.mdl on the real digits, one epoch; skipped if MLC_DATA does not contain them. The same network on
# Fashion-MNIST, if Debian's package is installed.
data=${MLC_DATA-}
source "$(dirname "$0")/common.sh"
export MLC_DATA=$data
skipped=true

if [[ -n $data && -d $data/mnist ]]; then
    skipped=false
    expect 0 mlc train "$root/models/mnist.mdl" --set train.epochs=1 --out run --expect 'accuracy>=0.94'
    says err "untrained" "60,000 rows"
    untrained=$(sed -n 's/.*"epoch":0,.*"test_accuracy":0\.\([0-9]\{2\}\).*/\1/p' run/metrics.jsonl)
    ((10#$untrained >= 5 && 10#$untrained < 15)) || fail "the untrained accuracy is 0.$untrained"
    expect 0 mlc eval run --confusion
    says out "10,000 rows" "recall"
    expect 0 mlc predict run --index 0..99 --png grid.png
    there grid.png
    expect 0 mlc predict run --index 0
    says out "true"
fi
if [[ -d /usr/share/datasets/fashion-mnist ]]; then
    skipped=false
    MLC_DATA='' expect 0 mlc train "$root/models/fashion.mdl" --set train.epochs=1 --out fashion --expect 'accuracy>=0.8'
    MLC_DATA='' expect 0 mlc predict fashion
    says out "Ankle boot"
fi
$skipped && echo "skipped: neither MNIST nor Fashion-MNIST is there" && exit 77
finish
