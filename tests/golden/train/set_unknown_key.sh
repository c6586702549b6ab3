# a setting that the train block does not know
source "$GOLDEN/small.bash"
mlc train small.mdl --set train.epoch=2
