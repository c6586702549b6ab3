# a link to nothing
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && ln -s nowhere pictures/a/1.png
check 'images("pictures")' 'source.image'
