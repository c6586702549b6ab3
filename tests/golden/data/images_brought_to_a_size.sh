# pictures of two sizes, brought to one
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b && small_png >pictures/a/1.png && wide_png >pictures/b/1.png
check 'images("pictures", height = 3, width = 3, channels = 3)' 'source.image'
