# more images than labels
source "$GOLDEN/small.bash"
cp test_labels labels
mlc train small.mdl
