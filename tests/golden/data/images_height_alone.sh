# half a size
source "$GOLDEN/arrays.bash"
mkdir -p train/a && small_png >train/a/1.png
check 'images("train", height = 8)' 'source.image'
