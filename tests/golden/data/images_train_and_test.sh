# the folder above those of training and test
source "$GOLDEN/arrays.bash"
mkdir -p pictures/{train,test}/{cat,dog} && small_png >pictures/train/cat/1.png
check 'images("pictures")' 'source.image'
