# a run that is to end before its checkpoint
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=2 --out run >/dev/null
mlc train --resume run --set train.epochs=1
