# files where folders are due
source "$GOLDEN/arrays.bash"
mkdir pictures && small_png >pictures/1.png
check 'images("pictures")' 'source.image'
