# fewer labels than pictures
source "$GOLDEN/arrays.bash"
idx 3 1 >images && printf '123' >>images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
