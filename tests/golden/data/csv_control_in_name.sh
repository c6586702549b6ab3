# a name that is not UTF-8
source "$GOLDEN/table.bash"
printf 'a,b\xe4\n1,2\n' | table
