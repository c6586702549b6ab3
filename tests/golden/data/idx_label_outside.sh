# a label outside the classes
source "$GOLDEN/arrays.bash"
idx 2 1 >images && printf '12' >>images
idx 2 >labels && printf '\0\2' >>labels
check 'idx("images", "labels", classes = 2)' 'source.image'
sed -i 's/flatten(x)/x/' model.mdl
mlc data model.mdl
