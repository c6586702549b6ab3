# nothing to take a mean of
source "$GOLDEN/table.bash"
printf 'a,b\n1,\n2,\n3,\n' | table 'csv("table.csv")' 'source |> columns(["a", "b"]) |> impute("mean")'
mlc train table.mdl --out run
