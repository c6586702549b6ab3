# text has no mean
source "$GOLDEN/table.bash"
printf 'width,height\n1,tall\n3,\n' | table 'csv("table.csv")' 'source |> columns("height") |> impute("mean") |> one_hot'
