# ONNX files: what is printed, and the model that mlc import reads in each. Its predictions have the same bits.
source "$GOLDEN/../train/small.bash"
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (610, 1, 12, 12), }" >rows.npy
tail -c +17 images >>rows.npy
network() { # NAME STATEMENTS: trains the small model with another network
    awk -v body="$2" '/logits = /{print body; next} {print}' small.mdl >"$1.mdl"
    mlc train "$1.mdl" --set train.epochs=1 --out "$1" -q >/dev/null && mlc export "$1" --to "$1.onnx" &&
        mlc import "$1.onnx" -o "$1.again" -q >/dev/null && sed -n '/^model/,/^}/p' "$1.again/net.mdl"
    for run in "$1" "$1.again"; do mlc predict "$run" rows.npy --csv "$run.csv" -q >/dev/null; done
    cmp "$1.csv" "$1.again.csv" && echo "$(grep -c . "$1.csv") lines of predictions are the same"
}
network mlp '    logits = image |> flatten |> dense(24) |> relu |> dense(10)'
network cnn '    logits = image |> conv(4, kernel = 3, pad = 1) |> relu |> max_pool(3, stride = 2, pad = 1) |> flatten |> dense(10)'
network functions '    h = image |> conv(6, kernel = 3, stride = 2, pad = [1, 0], bias = false) |> sigmoid |> avg_pool(2, stride = 1, pad = 1)
    logits = h |> flatten |> dense(12, bias = false) |> tanh |> dense(10) |> leaky_relu(0.2) |> elu |> softplus'
network tokens '    h = reshape(image, [N, 12, 12]) |> layer_norm |> dense(8) |> gelu
    logits = h + softmax(h @ transpose(h)) @ h |> mean(axis = 1) |> dense(10)'
network norms '    logits = image |> conv(4, kernel = 5, stride = 3) |> batch_norm |> silu |> global_avg_pool |> dense(10) |> batch_norm'
network upward '    h = image |> conv_transpose(4, kernel = 3, stride = 2, pad = 1) |> conv_transpose(6, kernel = 2, stride = [1, 2], groups = 2, bias = false)
    logits = h |> conv_transpose(2, kernel = 3, stride = 2, pad = 1, output_pad = 1) |> max_pool(4) |> flatten |> dense(10)'
network remainders '    logits = flatten(image) % 0.3 |> dense(10)'
# A network that reads its number of rows has a batch of one size.
sed 's/logits = .*/h = flatten(image)\n    logits = (h - mean(h, axis = 0, keep = true)) |> dense(10)/' small.mdl >rows.mdl
mlc train rows.mdl --set train.epochs=1 --out rows -q >/dev/null
mlc export rows --to rows.onnx
