# a row with more cells: a number with a comma
source "$GOLDEN/table.bash"
printf 'a,b\n1,2\n1,234,5\n' | table
