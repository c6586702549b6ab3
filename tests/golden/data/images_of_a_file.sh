# a file where a folder is due
source "$GOLDEN/arrays.bash"
printf 'x' >file.png
check 'images("file.png")' 'source.image'
