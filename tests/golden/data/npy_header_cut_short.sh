# a file that ends in its header
source "$GOLDEN/arrays.bash"
printf '12' | npy '|u1' '(2,)' False | head -c 60 >x.npy
check 'npy("x.npy")' 'source.x'
