# a folder where a file should be
source "$GOLDEN/arrays.bash"
mkdir x.npy
check 'npy("x.npy")' 'source.x'
