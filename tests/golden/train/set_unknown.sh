# a name that the model does not have
source "$GOLDEN/small.bash"
mlc train small.mdl --set lrate=0.1
