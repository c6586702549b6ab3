# a column that is not there
source "$GOLDEN/table.bash"
printf 'width,height\n1,2\n3,4\n' | table 'csv("table.csv")' 'source |> columns(["width", "hieght"])'
