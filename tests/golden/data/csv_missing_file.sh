# no file
source "$GOLDEN/table.bash"
printf 'a\n1\n' | table 'csv("tabel.csv")'
