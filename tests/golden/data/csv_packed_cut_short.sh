# a packed file that ends early
source "$GOLDEN/table.bash"
seq 1 5000 | gzip >whole.csv.gz
head -c 500 whole.csv.gz >short.csv.gz
printf 'a\n1\n' | table 'csv("short.csv.gz", header = false)'
