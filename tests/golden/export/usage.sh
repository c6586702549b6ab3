# what mlc export says of a missing or unknown ending, of a folder that is no run, and of a place that cannot be written to
source "$GOLDEN/../train/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out run >/dev/null
for to in "" "--to weights" "--to weights.pt" "--to .npz" "--to /nowhere/weights.npz" "--to /nowhere/weights.safetensors"; do
    echo "mlc export run $to"
    mlc export run $to
    echo "status $?"
done 2>&1
mlc export nothing --to weights.npz
