# The first model of someone who comes from elsewhere: one mistake at a time.
printf 'a,b,y\n1,2,0\n2,1,1\n3,3,2\n' >table.csv
source "$GOLDEN/../../support/one_mistake.bash"
exec 2>&1
mlc check right.mdl
# the text
wrong 's/^mdl 1/mdl: 1/'
wrong 's/^model/modle/'
wrong 's/^train/training/'
wrong 's/^model/import torch\nmodel/'
wrong 's/^train/loss = 1\ntrain/'
wrong 's/^train \{/train:/'
wrong 's/field x/feild x/'
wrong 's/field x/x/'
wrong 's/(batch .*)/\1\n    valid = 0.1/'
wrong 's/(field y.*)/\1\n    valid = 10%/'
wrong 's/(field y.*)/\1\n    valid = 10 % # a tenth/'
wrong 's/logits = x/x -> dense(8)/'
wrong 's/logits = x/x/'
wrong 's/logits = x/let logits = x/'
wrong 's/logits = x/return x/'
wrong 's/net\(x\) -> logits/net(x)/'
wrong 's/net\(x\)/net(source.x)/'
wrong 's/dense\(8\) /dense(8) -> /'
wrong 's/dense\(8\) \|>/dense(8)/'
wrong 's/= 2$/: 2/'
wrong 's/= 2$/= 2,/'
# names
wrong 's/net\(x\)/net(image)/'
wrong 's/logits = x/hidden = dense(x, 4)\n    logits = hidden/; s/entropy\(logits/entropy(hidden/'
wrong 's/-> logits/-> out/'
wrong 's/dense\(8\)/linear(64)/'
wrong 's/dense\(8\)/nn.Linear(2, 8)/'
wrong 's/dense\(8\)/dense(8, activation = "relu")/'
wrong 's/dense\(8\)/dense(units = 8)/'
wrong 's/batch     = 16/shuffle = True/'
wrong 's/cross_entropy/categorical_crossentropy/'
wrong 's/"table.csv"/table.csv/'
wrong 's/source.y$/y/'
# kinds of values
wrong 's/columns.*/source.a/'
wrong 's/columns.*/source/'
wrong 's/columns.*/[source.a, source.b]/'
wrong 's/\[accuracy.*/["accuracy"]/'
wrong 's/\[accuracy.*/accuracy/'
wrong 's/cross_entropy.*/"crossentropy"/'
wrong 's/adam\(.*/"adam"/'
# the command line
set_wrong() {
    echo "== --set $1 =="
    mlc check right.mdl --set "$1"
    echo "exit $?"
}
set_wrong epochs=3
set_wrong valid=0.1
set_wrong lr=1e-3
set_wrong lr=1e-3,1e-2
set_wrong optimizer.lr=1
set_wrong train.lr=1
echo "== a table in place of a model =="
mlc check table.csv
