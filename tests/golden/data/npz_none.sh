# no archive
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '|u1' '(2, 4)' False >x.npz
check 'npz("x.npz")' 'source.x'
