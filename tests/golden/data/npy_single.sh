# a single number
source "$GOLDEN/arrays.bash"
printf '12' | npy '|u1' '()' False >x.npy
check 'npy("x.npy")' 'source.x'
