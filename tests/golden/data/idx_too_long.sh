# more elements than the header promises
source "$GOLDEN/arrays.bash"
idx 2 2 >images && printf '12345' >>images
idx 2 >labels && printf '\0\1' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
