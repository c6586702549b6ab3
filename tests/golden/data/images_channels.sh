# channels that pictures do not have
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && small_png >pictures/a/1.png
check 'images("pictures", channels = 2)' 'source.image'
