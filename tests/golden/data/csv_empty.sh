# an empty file
source "$GOLDEN/table.bash"
table </dev/null
