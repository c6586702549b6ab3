# a folder that holds a run
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
mlc train small.mdl --out run
