# a value outside the range that the model gives
source "$GOLDEN/small.bash"
mlc train small.mdl --set lr=11
