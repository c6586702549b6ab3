# no file, but a table known by name
source "$GOLDEN/table.bash"
printf 'a\n1\n' | table 'csv("california_housing.csv")'
