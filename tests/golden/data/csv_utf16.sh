# text as Windows saves it
source "$GOLDEN/table.bash"
printf '\xff\xfea\0,\0b\0\n\0' | table
