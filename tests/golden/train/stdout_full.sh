# an answer that cannot be written
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 >/dev/full
