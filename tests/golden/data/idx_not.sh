# no IDX file
source "$GOLDEN/arrays.bash"
echo 'hello, world' >images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
