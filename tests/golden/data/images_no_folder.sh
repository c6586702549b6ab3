# a folder that is not there
source "$GOLDEN/arrays.bash"
check 'images("pictures")' 'source.image'
