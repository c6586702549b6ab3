# an IDX file that ends too early
source "$GOLDEN/small.bash"
head -c 5000 images >cut && mv cut images
mlc train small.mdl
