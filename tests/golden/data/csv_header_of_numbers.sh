# a first line that is a row
source "$GOLDEN/table.bash"
printf '1,2\n3,4\n' | table
