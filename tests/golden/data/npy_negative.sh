# a negative size
source "$GOLDEN/arrays.bash"
printf '12' | npy '|u1' '(-1, 2)' False >x.npy
check 'npy("x.npy")' 'source.x'
