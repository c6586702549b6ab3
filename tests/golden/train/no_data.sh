# a named data set that is not there
source "$GOLDEN/small.bash"
sed 's/idx(.*)/mnist()/' small.mdl >mnist.mdl
mlc train mnist.mdl
