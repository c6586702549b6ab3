# two columns of one name
source "$GOLDEN/table.bash"
printf 'a,b,a\n1,2,3\n' | table
