# a disk on which there is no room
source "$GOLDEN/small.bash"
trap '' XFSZ
ulimit -f 8 # files of more than 8 KiB cannot be written
mlc train small.mdl --quiet --out full
