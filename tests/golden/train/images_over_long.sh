# an IDX file with more bytes than its header says
source "$GOLDEN/small.bash"
cat labels >>images
mlc train small.mdl
