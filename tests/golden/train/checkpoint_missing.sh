# a run without a checkpoint
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
rm run/last.safetensors
mlc train --resume run --set train.epochs=2
