# a folder that is in use
source "$GOLDEN/small.bash"
mkdir full && touch full/file
mlc train small.mdl --out full
