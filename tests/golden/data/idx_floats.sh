# elements that are no bytes
source "$GOLDEN/arrays.bash"
idx 2 2 | sed 's/\x08/\x0d/' >images && printf '0123456789abcdef' >>images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
