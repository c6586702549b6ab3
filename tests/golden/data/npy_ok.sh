# what is read
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '|u1' '(2, 4)' False >x.npy
check 'npy("x.npy")' 'source.x'
