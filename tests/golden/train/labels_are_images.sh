# the image file in the place of the labels
source "$GOLDEN/small.bash"
cp images labels
mlc train small.mdl
