# a class without a picture: hidden files are none
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b && small_png >pictures/a/1.png && : >pictures/b/.hidden && : >pictures/b/Thumbs.db
check 'images("pictures")' 'source.image'
