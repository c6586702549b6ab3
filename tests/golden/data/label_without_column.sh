# more categories than outputs
source "$GOLDEN/table.bash"
train_labels 2 'size,kind\n1,a\n2,b\n3,c\n4,a\n5,b\n'
