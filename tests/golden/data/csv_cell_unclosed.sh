# a quote that is never closed
source "$GOLDEN/table.bash"
printf 'a,b\n1,2\n3,"4\n5,6\n' | table
