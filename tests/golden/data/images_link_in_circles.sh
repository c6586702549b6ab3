# a link to itself
source "$GOLDEN/arrays.bash"
mkdir -p pictures && ln -s a pictures/a
check 'images("pictures")' 'source.image'
