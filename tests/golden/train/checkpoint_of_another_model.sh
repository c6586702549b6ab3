# a model that has changed since its checkpoint
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
sed 's/dense(24)/dense(25)/' small.mdl >other.mdl
mlc train other.mdl --resume run --set train.epochs=2
