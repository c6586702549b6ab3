# several files that are no pictures, or pictures of kinds that are not read; they are named with their number
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b && small_png >pictures/a/1.png && small_png >pictures/b/2.png
echo words >pictures/a/notes.txt && echo GIF89a >pictures/b/3.gif && echo words >pictures/b/list && printf 'II*\0' >pictures/b/4.tif
echo words >pictures/about.txt
check 'images("pictures")' 'source.image'
