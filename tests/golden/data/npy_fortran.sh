# columns first
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '<f4' '(2, 1)' True >x.npy
check 'npy("x.npy")' 'source.x'
