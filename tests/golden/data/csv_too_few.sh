# a row with fewer cells
source "$GOLDEN/table.bash"
printf 'a,b,c\n1,2,3\n4,5\n' | table
