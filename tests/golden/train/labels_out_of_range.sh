# a label that is no class
source "$GOLDEN/small.bash"
printf '\377' | dd of=labels bs=1 seek=100 conv=notrunc 2>/dev/null
mlc train small.mdl
