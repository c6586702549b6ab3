# a run keeps the text of all files that its model uses, and goes on without them
source "$GOLDEN/small.bash"
mkdir lib
{ echo 'mdl 1 # the version' && sed -n '/^data/,/^}/p' small.mdl; } >lib/data.mdl
printf 'mdl 1; param lr = 0.01 in 1e-6..10.0\nparam width = 24 # the last line' >lib/params.mdl
{ printf 'mdl 1\nuse "lib/params.mdl"; use "lib/data.mdl"; use "lib/./params.mdl"; param depth = 1\n' &&
    sed -e '1,/^}/d' -e 's/dense(24)/dense(width)/' small.mdl; } >used.mdl
mlc train used.mdl --quiet --out run --set width=20 --set data.valid=0.1 --set train.epochs=1 >/dev/null
cat run/resolved.mdl
cp -r run broken && sed -i 's/param width = 20/param width = 21/' broken/resolved.mdl
rm -r lib
mlc train --resume run --quiet --set train.epochs=2 | sed 's/, [0-9.]* s$//'
mlc train --resume broken --quiet --set train.epochs=2
