# the label file in the place of the images
source "$GOLDEN/small.bash"
cp labels images
mlc train small.mdl
