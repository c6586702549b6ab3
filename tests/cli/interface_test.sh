#!/usr/bin/env bash
# The library for programs in C: its predictions and trainings have the bits of the program, and what it saves the program goes on with.
source "$(dirname "$0")/common.sh"
BITS=$(realpath -m "${INTERFACE_BITS:-$root/build/release/tests/interface_bits}")
source='idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)'
small=(--set train.epochs=1 --set train.batch=32)

# -- predictions of every model in models/ --
# idx IMAGES LABELS ROWS: random pictures of 28 x 28, which all models take
idx() {
    awk -v rows="$3" 'BEGIN { srand(9); printf "%c%c\b\003", 0, 0; printf "%c%c%c%c", 0, 0, int(rows / 256), rows % 256
        printf "%c%c%c%c%c%c%c%c", 0, 0, 0, 28, 0, 0, 0, 28; for (i = 0; i < rows * 784; i++) printf "%c", 1 + 254 * rand() }' >"$1"
    awk -v rows="$3" 'BEGIN { printf "%c%c\b\001", 0, 0; printf "%c%c%c%c", 0, 0, int(rows / 256), rows % 256
        for (i = 0; i < rows; i++) printf "%c", i % 10 }' >"$2"
}
idx images labels 300
idx test_images test_labels 103
pictures() { # MODEL SETTING...
    local model=$1 settings=()
    shift
    for setting in "$@"; do settings+=(--set "$setting"); done
    cp "$root/models/$model.mdl" .
    expect 0 mlc train "$model.mdl" --set "data.source=$source" "${small[@]}" "${settings[@]}" --out "$model" --quiet
    mlc predict "$model" --all --json >lines.json
    expect 0 "$BITS" pictures "$model" test_images lines.json
    says out "103 rows have the bits of mlc predict"
}
for path in "$root"/models/*.mdl; do
    model=$(basename "$path" .mdl)
    valid=()
    grep -q "^ *valid *=" "$path" && valid=(data.valid=60)
    case $model in
    iris | housing) ;;
    mnist_resnet) pictures "$model" "${valid[@]}" base=8 depth=1 ;;
    lstm_rows) pictures "$model" "${valid[@]}" width=32 ;;
    mlp_mixer) pictures "$model" "${valid[@]}" width=16 inner=32 depth=1 ;;
    rows_vit) pictures "$model" "${valid[@]}" width=16 depth=1 ;;
    *) pictures "$model" "${valid[@]}" ;;
    esac
done

# -- tables: numbers that are standardized, missing cells, text --
cp "$root/models/iris.mdl" "$root/models/iris.csv" .
expect 0 mlc train iris.mdl --set train.epochs=5 --out iris --quiet
mlc predict iris iris.csv --all --json >lines.json
expect 0 "$BITS" table iris iris.csv lines.json
says out "150 rows have the bits of mlc predict"
awk 'BEGIN { srand(5); print "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,median_income,ocean_proximity,median_house_value"
    split("INLAND,ISLAND,NEAR BAY", near, ",")
    for (i = 0; i < 300; i++) printf "%.2f,%.2f,%d,%d,%s,%d,%d,%.4f,%s,%d\n", -122 + 3 * rand(), 33 + 6 * rand(), 50 * rand(), 5000 * rand(),
        (i % 7 ? int(900 * rand()) : ""), 3000 * rand(), 800 * rand(), 9 * rand(), near[1 + i % 3], 50000 + 400000 * rand() }' >california_housing.csv
cp "$root/models/housing.mdl" .
expect 0 mlc train housing.mdl --set train.epochs=2 --set train.batch=32 --out housing --quiet
mlc predict housing california_housing.csv --all --json >lines.json
expect 0 "$BITS" table housing california_housing.csv lines.json
says out "300 rows have the bits of mlc predict"

# -- training: statistics, random numbers, a schedule, accumulated gradients and clipping --
model_with_states 'conv(4, 3) |> batch_norm |> relu |> max_pool(2) |> flatten |> dropout(0.2) |> dense(10)'
for batch in 61 50; do # 50: the last batch is smaller
    rm -rf by_mlc by_library
    sed -i "s/batch      = .*/batch      = $batch/" net.mdl
    expect 0 mlc train net.mdl --out by_mlc --quiet
    expect 0 "$BITS" train net.mdl images labels 3 by_library
    for run in by_mlc by_library; do expect 0 mlc export $run --to $run.npz; done
    same by_mlc.npz by_library.npz
    # all states, not only the weights: one more epoch of the program
    for run in by_mlc by_library; do
        expect 0 mlc train net.mdl --weights $run --out more_$run --quiet
        mlc export more_$run --to more_$run.npz >/dev/null
    done
    same more_by_mlc.npz more_by_library.npz
    rm -rf more_*
done

# -- an installed library: pkg-config, CMake, the manual page, and no name but those of the header; a program without a sanitizer cannot
# load one with it --
nm -D --undefined-only "$(dirname "$MLC")/libmlc.so" | grep -q "__[at]san_init" && finish
prefix=$scratch/prefix
cmake --install "$(dirname "$MLC")" --prefix "$prefix" >/dev/null
there "$prefix/include/mlc.h" "$prefix/lib/libmlc.so.0" "$prefix/share/man/man3/mlc.3"
other=$(nm -D --defined-only "$prefix/lib/libmlc.so" | awk '$3 !~ /^(mlc_|MLC_1$)/ { print $3 }')
[[ -z $other ]] || fail "libmlc.so exports $other"
mkdir program && cat >program/program.c <<'END'
#include <mlc.h>
#include <stdio.h>
int main(void) {
    mlc_network *network;
    mlc_status status = mlc_open("iris", NULL, &network);
    printf("%s %d %s", mlc_version(), (int)status, mlc_message(network));
    mlc_close(network);
    return 0;
}
END
cat >program/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(program LANGUAGES C)
find_package(mlc 0.1 REQUIRED)
add_executable(program program.c)
target_link_libraries(program PRIVATE mlc::mlc)
END
expect 0 cmake -S program -B program/build -DCMAKE_PREFIX_PATH="$prefix"
expect 0 cmake --build program/build
expect 0 program/build/program
says out "0.1.0 0 "
for language in "c -std=c99 -Wpedantic" "c++ -std=c++17"; do
    read -r -a flags <<<"$language"
    [[ $language == c++* ]] && ! command -v c++ >/dev/null && continue
    # shellcheck disable=SC2046 # several words
    expect 0 cc -x "${flags[@]}" -Wall -Wextra -Werror -fsyntax-only $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags mlc) program/program.c
done
finish
