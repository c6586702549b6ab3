# objects of Python
source "$GOLDEN/arrays.bash"
printf '12' | npy '|O' '(2,)' False >x.npy
check 'npy("x.npy")' 'source.x'
