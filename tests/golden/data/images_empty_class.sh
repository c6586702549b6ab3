# a class without a picture
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b && small_png >pictures/a/1.png && : >pictures/b/1.jpg
check 'images("pictures")' 'source.image'
