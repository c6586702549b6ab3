# a delimiter of two characters
source "$GOLDEN/table.bash"
printf 'a,b\n1,2\n' | table 'csv("table.csv", delimiter = "::")'
