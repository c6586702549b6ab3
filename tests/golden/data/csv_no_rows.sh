# names, but no rows
source "$GOLDEN/table.bash"
printf 'a,b\n' | table
