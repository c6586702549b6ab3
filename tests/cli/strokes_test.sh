#!/usr/bin/env bash
# A figure drawn or photographed at any place, size and colour becomes an input like MNIST's digits: its strokes in a box of 20
# pixels, their centre of mass in the middle of 28.
source "$(dirname "$0")/common.sh"
{ printf '\0\0\10\3\0\0\0\4\0\0\0\34\0\0\0\34'; head -c 3136 /dev/urandom; } >images
printf '\0\0\10\1\0\0\0\4\0\1\2\3' >labels
cat >pixels.mdl <<'END'
mdl 1
data { source = idx("images", "labels"); field image = source.image / 255; field label = source.label }
model same(image) -> pixels { pixels = flatten(image) + 0.0 * weight([1]) }
train { loss = mean(pixels); optimizer = sgd(0.1); epochs = 1 }
END
expect 0 mlc train pixels.mdl --out run -q

# figure FILE WIDTH HEIGHT LEFT TOP SIZE DARK NOISE: an L, SIZE high and half as wide, its strokes a fifth of SIZE, as a grey BMP.
figure() {
    awk -v w="$2" -v h="$3" -v left="$4" -v top="$5" -v size="$6" -v dark="$7" -v noise="$8" '
        function byte(b) { printf "\\x%02x", b }
        function four(n, i) { for (i = 0; i < 4; i++) { byte(n % 256); n = int(n / 256) } }
        BEGIN {
            row = int((w + 3) / 4) * 4
            printf "BM"; four(1078 + row * h); four(0); four(1078); four(40); four(w); four(h); byte(1); byte(0); byte(8); byte(0)
            four(0); four(row * h); four(0); four(0); four(256); four(0)
            for (i = 0; i < 256; i++) { byte(i); byte(i); byte(i); byte(0) }
            for (y = h - 1; y >= 0; y--) for (x = 0; x < row; x++) {
                v = y - top; u = x - left
                ink = u >= 0 && v >= 0 && v < size && u < size / 2 && (u < size / 5 || v >= size - size / 5)
                if (noise && x == 3 && y == 3) ink = 1
                seed = (seed * 75 + 74) % 65537
                level = (dark ? 255 - 235 * ink : 250 * ink) + (noise ? (seed % 17) - 8 - int(30 * x / w) : 0)
                byte(level < 0 ? 0 : level > 255 ? 255 : level)
            } }' >figure.txt
    printf '%b' "$(cat figure.txt)" >"$1"
}
# Measures the pixels that the network reads: top, bottom, left and right of the bright ones, and the centre of mass.
pixels() { mlc predict run "$1" --json -q "${@:2}" | grep -o '\[.*\]' | tr -d '[]' | tr , '\n'; }
facts() {
    awk '{ y = int((NR - 1) / 28); x = (NR - 1) % 28; m += $1; my += $1 * (y + .5); mx += $1 * (x + .5)
           if ($1 > .5) { if (top == "") top = y; bottom = y; if (left == "" || x < left) left = x; if (x > right) right = x } }
         END { printf "%d %d %.1f %.1f\n", bottom - top + 1, right - left + 1, my / m, mx / m }' "$1"
}
alike() { paste "$1" "$2" | awk '{ d = $1 - $2; s += d < 0 ? -d : d } END { exit !(NR == 784 && s / NR < 0.02) }'; }

figure plain.bmp 300 200 180 40 120 1 0
pixels plain.bmp >plain.txt
[[ $(facts plain.txt) == "20 10 14.0 14.0" ]] || fail "height, width and middle of the figure: $(facts plain.txt)"
figure small.bmp 90 260 8 200 40 1 0
figure bright.bmp 300 200 20 60 120 0 0
figure photo.bmp 400 300 200 30 200 1 1
for name in small bright photo; do
    pixels $name.bmp >$name.txt
    alike plain.txt $name.txt || fail "$name.bmp is not taken as plain.bmp: $(facts $name.txt)"
done
expect 0 mlc predict run plain.bmp
says err "plain.bmp: 300x200, converted to 28x28, inverted (its background is light), cropped to its strokes and centred"

# --fit no leaves the figure in its place. A picture of the network's size, and one without strokes, also stay as they are.
pixels plain.bmp --fit no >left.txt
[[ $(facts left.txt) != "$(facts plain.txt)" ]] || fail "--fit no crops the picture"
figure exact.bmp 28 28 2 3 10 0 0
expect 0 mlc predict run exact.bmp
[[ ! -s $scratch/err ]] || fail "something is done to a picture of the right size"
figure blank.bmp 60 50 100 100 10 1 0
expect 0 mlc predict run blank.bmp
says err "converted to 28x28, inverted (its background is light)"
! grep -q cropped "$scratch/err" || fail "strokes are found in an empty picture"
expect 2 mlc predict run plain.bmp --fit maybe

finish
