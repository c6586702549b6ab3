# JSON lines that cannot be written
source "$GOLDEN/small.bash"
mlc train small.mdl --json --quiet --set train.epochs=1 >/dev/full
