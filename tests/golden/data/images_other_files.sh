# pictures of another format
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && echo GIF89a >pictures/a/1.gif
check 'images("pictures")' 'source.image'
