# something between a closing quote and the end of its cell
source "$GOLDEN/table.bash"
printf 'a,b\n1,"two" and a half\n' | table
