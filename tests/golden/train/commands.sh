# Commands as one guesses them, and the newest run where none is named.
exec 2>&1
printf 'a,y\n1,0\n2,1\n3,0\n4,1\n' >table.csv
cat >my.mdl <<'MODEL'
mdl 1
data { source = csv("table.csv"); field x = columns(source, "a"); field y = source.y }
model net(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, y); optimizer = adam(1e-3); epochs = 1 }
MODEL
try() {
    echo "== mlc $* =="
    mlc "$@"
    echo "exit $?"
}
try my.mdl
try fit my.mdl
try resume runs/1
try trian my.mdl
try help nothing
try eval
try eval my.mdl
mlc train my.mdl --quiet >train.txt
mlc train my.mdl --quiet >>train.txt
try eval --json 2>&1 | sed 's/"loss":[^,}]*/"loss":L/'
try predict --quiet 2>&1 | sed -n 1,3p
try eval runs
try eval 1
try eval nowhere
mlc help check | cmp - <(mlc check --help) && mlc help | cmp - <(mlc --help) && mlc version | cmp - <(mlc --version) && echo same
mkdir elsewhere && cd elsewhere && touch runs
try train ../my.mdl --quiet
