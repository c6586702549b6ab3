# columns of a source that is no table
source "$GOLDEN/table.bash"
printf 'a\n1\n' | table 'mnist()' 'source |> columns("image")'
