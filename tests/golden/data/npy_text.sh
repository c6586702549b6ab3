# elements that are text
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '<U1' '(2,)' False >x.npy
check 'npy("x.npy")' 'source.x'
