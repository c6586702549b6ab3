# a folder that cannot be made
source "$GOLDEN/small.bash"
touch file
mlc train small.mdl --out file/run
