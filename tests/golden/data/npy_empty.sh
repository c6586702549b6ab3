# an empty file
source "$GOLDEN/arrays.bash"
: >x.npy
check 'npy("x.npy")' 'source.x'
