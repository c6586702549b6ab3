# nothing to train
source "$GOLDEN/small.bash"
mlc train
