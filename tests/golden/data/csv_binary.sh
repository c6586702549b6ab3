# no text at all
source "$GOLDEN/table.bash"
printf 'a,b\n1,\0002\n' | table
