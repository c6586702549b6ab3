# a matrix where a number is needed
source "$GOLDEN/small.bash"
mlc train small.mdl --set 'train.metrics=[confusion(logits, label)]' --expect 'confusion>=1'
