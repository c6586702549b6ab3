# a file that is not there
source "$GOLDEN/small.bash"
rm labels
mlc train small.mdl
