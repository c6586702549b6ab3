# neither a model nor a command
mlc data
mlc data mnist
mlc data get
mlc data nothing.mdl
printf 'mdl 1\n' >empty.mdl
mlc data empty.mdl --rows 1001
mlc data empty.mdl
