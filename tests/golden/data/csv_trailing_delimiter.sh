# every row ends in a delimiter, the first line does not
source "$GOLDEN/arrays.bash"
printf 'a,b\n1,2,\n' >x.csv
check 'csv("x.csv")' 'source.a'
