#!/usr/bin/env bash
# A folder of pictures in every format: the training reads all of them, and new ones are recognized by their contents.
source "$(dirname "$0")/common.sh"
"$MAKE_PICTURES" shapes
cat >shapes.mdl <<'END'
mdl 1
data {
    source = images("shapes", height = 24, width = 24)
    field image = source.image / 255
    field label = source.label
    test = 0.25
}
model cnn(image) -> logits {
    x = image
    for c in [8, 16] { x = x |> conv(c, kernel = 3, pad = 1) |> batch_norm |> relu |> max_pool(2) }
    logits = x |> flatten |> dense(3)
}
train {
    loss = cross_entropy(logits, label)
    optimizer = adam(3e-3)
    batch = 18
    epochs = 12
    metrics = [accuracy(logits, label)]
}
END
expect 0 mlc data shapes.mdl
says out "54 train rows, 0 valid, 18 test" "u8[N, 3, 24, 24]"
expect 0 mlc train shapes.mdl --out shapes.run --expect 'accuracy>=0.9' -q
files=(shapes/disc/0.jpg shapes/square/11.JPG shapes/stripes/2.jpeg shapes/disc/13.png shapes/square/4.webp shapes/stripes/35.bmp)
expect 0 mlc predict shapes.run "${files[@]}" --json
for file in "${files[@]}"; do
    class=${file#shapes/}
    grep -qF "\"file\":\"$file\"" <(grep -F "\"class\":\"${class%/*}\"" "$scratch/out") || fail "$file is taken for something else"
done

# The contents decide the kind of a file.
cp shapes/disc/0.jpg disc.png && cp shapes/square/4.webp square.txt && cp shapes/stripes/35.bmp stripes
expect 0 mlc predict shapes.run disc.png square.txt stripes --json
says out '"file":"disc.png","predicted":0' '"file":"square.txt","predicted":1' '"file":"stripes","predicted":2'
cp disc.png shapes/disc/99.png && cp square.txt shapes/square/99
expect 0 mlc data shapes.mdl
says out "55 train rows, 0 valid, 19 test"

# Files that cannot be read are named.
head -c -50 disc.png >cut.jpg
expect 4 mlc predict shapes.run cut.jpg
says err "'cut.jpg': it cannot be read as a JPEG image: Corrupt JPEG data: premature end of data segment"
echo GIF89a >moving.gif
expect 4 mlc predict shapes.run moving.gif
says err "'moving.gif': it is a GIF picture, which mlc does not read" "PNG, JPEG, WebP or BMP"
cp cut.jpg shapes/disc
expect 4 mlc train shapes.mdl --out none
says err "shapes/disc/cut.jpg"
[[ ! -e none ]] || fail "a run is begun with pictures that cannot be read"
finish
