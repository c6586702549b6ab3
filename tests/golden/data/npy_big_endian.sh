# bytes in another order
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '>f4' '(2,)' False >x.npy
check 'npy("x.npy")' 'source.x'
