# a network that is not good enough
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --expect 'accuracy>=2' >/dev/null
