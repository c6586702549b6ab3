# a folder that is no run
source "$GOLDEN/small.bash"
mkdir empty
mlc train --resume empty
