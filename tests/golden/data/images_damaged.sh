# a picture that ends early
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && small_png | head -c 30 >pictures/a/1.png
check 'images("pictures")' 'source.image'
