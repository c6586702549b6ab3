#!/usr/bin/env bash
# The pictures of --png: images that are read and generated, numbers over true ones, confusion matrices; and errors.
source "$(dirname "$0")/common.sh"
small_model

# drawn WIDTH HEIGHT FILE: a PNG of that size in points (two pixels each).
drawn() {
    local size
    size=$(od -An -tu1 -j16 -N8 "$3" | awk '{print ($3 * 256 + $4) / 2, ($7 * 256 + $8) / 2}')
    [[ $size == "$1 $2" ]] || fail "$3 has $size points, not $1 $2"
}

# colour RRGGBB X Y FILE: the pixel at a point has the colour. coloured RRGGBB NUMBER FILE: at least NUMBER pixels have it.
colour() { [[ $("$PNG_PIXELS" "$4" $((2 * $2)) $((2 * $3))) == "$1" ]] || fail "$4 is $("$PNG_PIXELS" "$4" $((2 * $2)) $((2 * $3))) at $2, $3, not $1"; }
coloured() { (($("$PNG_PIXELS" "$3" "$1") >= $2)) || fail "$3 has $("$PNG_PIXELS" "$3" "$1") pixels of colour $1, not $2"; }

# train NAME: trains the model on stdin into the run NAME.
train() { cat >"$1.mdl" && expect 0 mlc train "$1.mdl" --out "$1" -q; }

npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }" && cat; }

# images of bytes; one row of four cells makes the picture 480 points wide, and ten 1022
expect 0 mlc train small.mdl --out small -q
expect 0 mlc predict small --index 0..3 --png four.png
drawn 480 228 four.png

# An autoencoder: input images above the generated ones, also if the output is flat.
sed -n '/data {/,/^}/p' small.mdl >data
train copy <<END
mdl 1
$(sed 's/field label.*//' data)
model copy(image) -> again { again = image |> flatten |> dense(4) |> relu |> dense(144) }
train { loss = mean((again - reshape(image, [N, 144])) ** 2); optimizer = adam(0.01); epochs = 1 }
END
expect 0 mlc predict copy --index 0..3 --png copy.png
drawn 480 316 copy.png

# Colours as f32; a network that generates images of another size from numbers.
head -c $((8 * 3 * 6 * 9 * 4)) /dev/zero | npy '<f4' '(8, 3, 6, 9)' >colours.npy
head -c $((8 * 2 * 4)) /dev/zero | npy '<f4' '(8, 2)' >codes.npy
train made <<'END'
mdl 1
data { source = npy("codes.npy", "colours.npy"); field z = source.x; field image = source.y }
model maker(z) -> made { made = reshape(z |> dense(162), [N, 3, 6, 9]) }
train { loss = mse(made, image); optimizer = adam(0.01); epochs = 1; batch = 4 }
END
expect 0 mlc predict made --split train --png made.png
drawn 826 316 made.png

# An image of four pixels, red, green, blue and white: each fills a quarter of the cell, with white paper around.
{ for i in {1..8}; do printf '\377\0\0\377\0\377\0\377\0\0\377\377'; done; } | npy '|u1' '(8, 3, 2, 2)' >quarters.npy
printf '\0\1\0\1\0\1\0\1' | npy '|u1' '(8,)' >kinds.npy
train quarters <<'END'
mdl 1
data { source = npy("quarters.npy", "kinds.npy"); field image = source.x / 255; field kind = source.y }
model m(image) -> logits { logits = image |> flatten |> dense(2) }
train { loss = cross_entropy(logits, kind); optimizer = adam(0.01); epochs = 1; batch = 4 }
END
expect 0 mlc predict quarters --split train --index 0..3 --png quarters.png
colour ff0000 49 105 quarters.png
colour 00ff00 91 105 quarters.png
colour 0000ff 49 147 quarters.png
colour ffffff 91 147 quarters.png
colour ffffff 20 105 quarters.png
colour 00ff00 189 105 quarters.png

# images [N, H, W] with a number each
head -c $((8 * 5 * 7)) /dev/zero | npy '|u1' '(8, 5, 7)' >greys.npy
head -c $((8 * 4)) /dev/zero | npy '<f4' '(8,)' >numbers.npy
train number <<'END'
mdl 1
data { source = npy("greys.npy", "numbers.npy"); field image = source.x / 255; field y = source.y }
model m(image) -> p { p = image |> flatten |> dense(1) |> flatten }
train { loss = mean((reshape(p, [N]) - y) ** 2); optimizer = adam(0.01); epochs = 1; batch = 4 }
END
expect 0 mlc predict number --split train --png number.png
drawn 826 228 number.png

# A table: predicted over true numbers.
{ echo a,b && for i in {1..40}; do echo "$i,$((3 * i + i % 5))"; done; } >numbers.csv
train table <<'END'
mdl 1
data { source = csv("numbers.csv"); field a = source |> columns("a") |> standardize; field b = source |> columns("b") |> standardize; test = 10 }
model m(a) -> p { p = dense(a, 1) }
train { loss = mse(p, b); optimizer = adam(0.1); epochs = 3 }
END
expect 0 mlc predict table --png table.png
drawn 850 474 table.png
coloured 1f6fb4 500 table.png # dots of 10 rows, twice
coloured d9720f 500 table.png # where predictions are right
coloured 1f6fb4 200 table/curves.png

# Classes of a table are drawn by eval only.
{ echo a,kind && for i in {1..40}; do echo "$i,$((i % 2))"; done; } >kinds.csv
train kinds <<'END'
mdl 1
data { source = csv("kinds.csv"); field a = source |> columns("a"); field kind = source.kind; test = 10 }
model m(a) -> logits { logits = dense(a, 2) }
train { loss = cross_entropy(logits, kind); optimizer = adam(0.1); epochs = 1 }
END
expect 2 mlc predict kinds --png none.png
says err "--png has nothing to draw" "mlc eval RUN --confusion --png FILE"
[[ ! -s $scratch/out ]] || fail "rows are predicted before it is told that they cannot be drawn"
expect 0 mlc eval kinds --confusion --png kinds.png
says out "true \\ predicted"
drawn 480 240 kinds.png
expect 2 mlc eval kinds --png none.png
says err "--png draws the matrix of --confusion"
expect 2 mlc eval table --confusion --png none.png
says err "--confusion is for classifiers"
[[ ! -s $scratch/out ]] || fail "rows are evaluated before it is told that they cannot be drawn"
[[ ! -e none.png ]] || fail "a picture of nothing is drawn"
expect 5 mlc eval kinds --confusion --png nowhere/kinds.png
expect 2 mlc predict table numbers.csv --png none.png
says err "--png has nothing to draw"
finish
