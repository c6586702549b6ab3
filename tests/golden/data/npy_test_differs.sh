# test rows of another shape
source "$GOLDEN/arrays.bash"
printf '12345678' | npy '|u1' '(2, 4)' False >x.npy
printf '123' | npy '|u1' '(1, 3)' False >t.npy
check 'npy("x.npy", test_x = "t.npy")' 'source.x'
