# a file of no bytes, by its name a picture
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && : >pictures/a/1.jpg
check 'images("pictures")' 'source.image'
