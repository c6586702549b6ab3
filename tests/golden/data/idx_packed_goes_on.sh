# bytes after the end of a packed file
source "$GOLDEN/arrays.bash"
(idx 2 1 && printf '12') | gzip >images.gz && printf 'more' >>images.gz
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
mlc data model.mdl
