# no NPY file
source "$GOLDEN/arrays.bash"
seq 100 >x.npy
check 'npy("x.npy")' 'source.x'
