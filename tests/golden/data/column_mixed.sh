# text and numbers side by side
source "$GOLDEN/table.bash"
printf 'width,height\n1,2\n3,n/a\n' | table 'csv("table.csv")' 'source |> columns(["width", "height"])'
