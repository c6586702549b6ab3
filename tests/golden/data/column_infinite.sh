# infinity has no mean
source "$GOLDEN/table.bash"
printf 'a,b\n1,2\n2,inf\n3,4\n' | table 'csv("table.csv")' 'source |> columns(["a", "b"]) |> standardize'
mlc train table.mdl --out run
