# numbers have no categories
source "$GOLDEN/table.bash"
printf 'width,height\n1,2.5\n3,4\n' | table 'csv("table.csv")' 'source |> columns("height") |> one_hot'
