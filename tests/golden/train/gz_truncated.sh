# a packed file that ends too early
source "$GOLDEN/small.bash"
gzip -c images | head -c 5000 >images.gz && rm images
mlc train small.mdl
