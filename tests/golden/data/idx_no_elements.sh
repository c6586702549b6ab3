# a dimension of size 0
source "$GOLDEN/arrays.bash"
idx 0 2 >images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
