# a packed file with something behind its end
source "$GOLDEN/small.bash"
{ gzip -c images && cat labels; } >images.gz && rm images
mlc train small.mdl
