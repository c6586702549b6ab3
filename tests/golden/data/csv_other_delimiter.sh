# columns divided by something else
source "$GOLDEN/table.bash"
printf 'a;b\n1;2\n3,5;4\n' | table
