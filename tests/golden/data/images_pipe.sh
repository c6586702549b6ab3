# a pipe would keep mlc waiting
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && mkfifo pictures/a/1.png
check 'images("pictures")' 'source.image'
