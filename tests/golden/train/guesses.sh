# Arguments as one guesses them: each error says what to write.
exec 2>&1
printf 'a,y\n1,0\n2,1\n3,0\n4,1\n' >table.csv
cat >my.mdl <<'MODEL'
mdl 1
param lr = 1e-3
data { source = csv("table.csv"); field x = columns(source, "a"); field y = source.y }
model net(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, y); optimizer = adam(lr); epochs = 1; metrics = [accuracy(logits, y)] }
MODEL
mlc train my.mdl -q >/dev/null
mkdir empty
try() {
    echo "== mlc $* =="
    mlc "$@"
    echo "exit $?"
}
# options
try train my.mdl --epochs 3
try train my.mdl -e 3
try train my.mdl --lr=0.1
try train my.mdl --batch-size 32
try train my.mdl --num-epochs 3
try train my.mdl --seed 3
try train my.mdl --gpu
try train my.mdl --data table.csv
try train my.mdl -o there
try predict -o there
try check my.mdl --json
try train my.mdl --resume
try train my.mdl --expect 'acc>=0.9'
try --train my.mdl
try --verison
try -v
try --epochs 3 my.mdl
# operands
try train my.mdl --set lr 0.1
try train my.mdl --set lr
try train my.mdl lr=0.1
try train my.mdl runs/9
try train my.mdl my.mdl
try check
try data fashion_mnist
try data table.csv
try explain Linear
# files
try check nothere.mdl
try check m.mdl
try check my
try check empty
try train runs/1
try check runs
try train --resume runs/7
try predict table.csv
try eval --split test
# spaces are no mistake
mlc train my.mdl --set 'train.epochs = 2' --out two -q | tail -1
mlc train --resume two --set 'train.epochs = 3' -q | tail -1
