# a number that no column has
source "$GOLDEN/table.bash"
printf 'width,height\n1,2\n3,4\n' | table 'csv("table.csv")' 'source |> columns(0..2)'
