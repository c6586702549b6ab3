# The step of a training as an ONNX file: what is printed, which states come out, and what is refused.
source "$GOLDEN/../train/small.bash"
sed -i 's/epochs    = 3/epochs = 1/; s/|> relu |>/|> batch_norm |> relu |> dropout(0.2) |>/' small.mdl
mlc train small.mdl --out run -q >/dev/null && mlc export run --to step.onnx --training
grep -aoE '[a-z0-9_.]+\.next' step.onnx | sort -u
mlc export run --to again.onnx --training >/dev/null && cmp step.onnx again.onnx && echo "the same bytes again"
# An imported network begins a new training. Exported again, it is the same network.
mlc export run --to net.onnx && mlc import net.onnx -o net -q && mlc export net --to net.onnx && mlc import net.onnx -o again -q
diff net/net.mdl again/net.mdl && echo "the same model again"
mlc export net --to begin.onnx --training
mlc export run --to step.npz --training
sed 's/batch     = 50/batch = 50\n    accumulate = 2/' small.mdl >two.mdl
mlc train two.mdl --out two -q >/dev/null
mlc export two --to two.onnx --training
[[ -e two.onnx ]] && echo "two.onnx was written"
mlc export two --to two.onnx
