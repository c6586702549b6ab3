# an IDX file of floats
source "$GOLDEN/small.bash"
printf '\015' | dd of=images bs=1 seek=2 conv=notrunc 2>/dev/null
mlc train small.mdl
