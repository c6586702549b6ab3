# labels for other rows
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '|u1' '(2, 4)' False >x.npy
printf '123' | npy '|u1' '(3,)' False >y.npy
check 'npy("x.npy", "y.npy")' 'source.x'
