#!/bin/sh
# What `make train` does once mlc is built: gets MNIST, trains models/mnist.mdl on it and draws what the network makes of
# the first test images. Without a network: Fashion-MNIST, which Debian packages.
set -eu
cd "$(dirname "$0")/.."
mlc=${MLC:-build/release/mlc}
name=mnist
if ! "$mlc" data get mnist; then
    name=fashion
    echo "train: MNIST cannot be fetched now, so models/fashion.mdl is trained instead: the same network on Fashion-MNIST," >&2
    echo "       from Debian's package dataset-fashion-mnist." >&2
fi
run=runs/$name-$(date +%Y%m%d-%H%M%S)
"$mlc" train "models/$name.mdl" --out "$run"
"$mlc" predict "$run" --index 0..99 --png "$run/predictions.png"
echo
echo "Trained models/$name.mdl. Pictures:"
ls -1 "$run"/*.png
