# more elements than promised
source "$GOLDEN/arrays.bash"
printf '123456789' | npy '<f4' '(2,)' False >x.npy
check 'npy("x.npy")' 'source.x'
