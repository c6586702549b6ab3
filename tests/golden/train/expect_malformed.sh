# an expectation that is none
source "$GOLDEN/small.bash"
mlc train small.mdl --expect accuracy
