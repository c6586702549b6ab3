# a size that no memory has
source "$GOLDEN/arrays.bash"
printf '12' | npy '|u1' '(99999999999, 2)' False >x.npy
check 'npy("x.npy")' 'source.x'
