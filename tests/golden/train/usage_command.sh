# a command that does not exist
source "$GOLDEN/small.bash"
mlc trian small.mdl
