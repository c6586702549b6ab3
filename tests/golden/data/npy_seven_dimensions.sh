# more dimensions than there may be
source "$GOLDEN/arrays.bash"
printf '12' | npy '|u1' '(2, 1, 1, 1, 1, 1, 1)' False >x.npy
check 'npy("x.npy")' 'source.x'
