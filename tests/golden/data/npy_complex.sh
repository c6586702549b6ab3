# complex numbers
source "$GOLDEN/arrays.bash"
printf '12' | npy '<c8' '(2, 2)' False >x.npy
check 'npy("x.npy")' 'source.x'
