# fewer elements than promised
source "$GOLDEN/arrays.bash"
printf '1234567' | npy '<f4' '(2,)' False >x.npy
check 'npy("x.npy")' 'source.x'
