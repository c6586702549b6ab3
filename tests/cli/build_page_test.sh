#!/usr/bin/env bash
# mlc build --form html makes one page of a network. If Chromium is installed, the page is used as a person would use it (tests/web/).
source "$(dirname "$0")/common.sh"
command -v wasm-ld-19 >/dev/null || { echo "skipped: wasm-ld-19 is missing; tools/setup.sh installs it" && exit 0; }

small_model
expect 0 mlc train small.mdl --out run -q --set train.epochs=1
expect 0 mlc build run --form html
says out "weights " "B relaxed, " "small_run: scratch "
there small/small.html small/small.json
[[ $(ls small) == $'small.html\nsmall.json' ]] || fail "other files: $(ls small)"
grep -q 'id="part-weights"' small/small.html || fail "no weights in the page"
! grep -q 'id="part-rows"' small/small.html || fail "rows of the data leave without --train"
! grep -qE 'src=|href="?http|url\(|@import' small/small.html || fail "the page asks for something"
expect 0 mlc build run --form html --train -o trains
grep -q 'id="part-rows"' trains/small.html || fail "no rows in the page"
expect 0 mlc build run --form html --train -o again
same trains/small.html again/small.html

# Some networks cannot have a form.
weather_model
expect 0 mlc train weather.mdl --out weather_run -q
expect 3 mlc build weather_run --form html -o none
says err "--form html: the network reads windows of a series" "--form wasm makes modules for a page of your own"
cp "$root/models/iris.csv" .
expect 2 mlc build run --form html --cpu haswell -o none
says err "--cpu is for machine code: --form html makes a page for all browsers"
[[ ! -e none ]] || fail "files were written"

if command -v chromium >/dev/null && command -v python3 >/dev/null; then
    mkdir browser
    (cd browser && PYTHONDONTWRITEBYTECODE=1 timeout 120 python3 "$root/tests/web/page_test.py" "$MLC") || fail "the page in Chromium"
else
    echo "skipped in part: chromium or python3 is missing"
fi
finish
