# a folder in the folder of a class
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a/deeper && small_png >pictures/a/1.png
check 'images("pictures")' 'source.image'
