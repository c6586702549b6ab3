# a file that is no checkpoint
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
echo 'hello, world' >run/last.safetensors
mlc train --resume run --set train.epochs=2
