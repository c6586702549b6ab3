# a file that is no IDX file
source "$GOLDEN/small.bash"
echo 'hello, world' >images
mlc train small.mdl
