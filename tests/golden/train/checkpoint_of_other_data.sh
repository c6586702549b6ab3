# data that have changed since the checkpoint
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
printf '\001' | dd of=labels bs=1 seek=100 conv=notrunc 2>/dev/null
mlc train --resume run --set train.epochs=2
