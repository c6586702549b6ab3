# a way to impute that does not exist
source "$GOLDEN/table.bash"
printf 'width,height\n1,2\n3,\n' | table 'csv("table.csv")' 'source |> columns("height") |> impute("modus")'
