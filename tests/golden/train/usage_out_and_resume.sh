# two folders for one run
source "$GOLDEN/small.bash"
mlc train small.mdl --out a --resume b
