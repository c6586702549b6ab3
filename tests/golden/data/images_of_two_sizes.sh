# pictures of two sizes
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b && small_png >pictures/a/1.png && wide_png >pictures/b/1.png
check 'images("pictures")' 'source.image'
