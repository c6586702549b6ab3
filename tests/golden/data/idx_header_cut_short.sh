# a file that ends in its header
source "$GOLDEN/arrays.bash"
idx 2 2 | head -c 9 >images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
