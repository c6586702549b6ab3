# a single cell makes text of a column
source "$GOLDEN/table.bash"
printf 'width,height\n1,2\n3,n/a\n' | table 'csv("table.csv")' 'log(source |> columns("height"))'
