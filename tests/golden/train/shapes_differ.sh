# test images of another size than the training images
source "$GOLDEN/small.bash"
printf '\000\000\010\003\000\000\000\001\000\000\000\001\000\000\000\001x' >test_images
printf '\000\000\010\001\000\000\000\001\000' >test_labels
mlc train small.mdl
