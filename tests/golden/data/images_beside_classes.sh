# pictures that are in no class folder
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && for file in a/1 2 3 4 5; do small_png >pictures/$file.png; done
check 'images("pictures")' 'source.image'
