# text that is not UTF-8
source "$GOLDEN/table.bash"
printf 'city,size\nK\xf6ln,1\n' | table 'csv("table.csv")' 'source |> columns("size")'
