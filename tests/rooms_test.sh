#!/bin/bash
# The rooms of the libraries, as the linker sees them: a function may use those of its own room, of the rooms below it in its library, and of
# the libraries that its own is built on. Anything else is an edge upwards, and two such edges make a cycle.
# A function with the name of a function of the C library, such as accept, would replace it in all libraries that call it: an error too.
#   tests/rooms_test.sh BUILD           checks
#   tests/rooms_test.sh BUILD --edges   prints the edges between rooms: FROM TO SYMBOLS
set -eu
build=$1
mode=${2-check}
# What each library may use besides itself; cli may use everything.
libraries="ir: frontend:ir passes:ir codegen:ir runtime:ir onnx:ir
    engine:ir,frontend,passes,codegen,runtime lib:ir,frontend,passes,codegen,runtime,engine cli:ir,frontend,passes,codegen,runtime,onnx,engine"

# OBJECT TYPE SYMBOL of every global symbol, with the object as LIBRARY/ROOM/FILE. Objects whose sources are gone are skipped, and so is
# what takes the place of the C library inside of libmlc.so.
root=$(cd "$(dirname "$0")/.." && pwd)
objects() {
    find "$build/CMakeFiles" -path '*mlc_*.dir/*' -not -path '*mlc_shared.dir/*' -name '*.o' | sort | while read -r object; do
        source=${object#*.dir/}
        source=${source%.o}
        if [ -e "$root/$source" ] || [ -e "$build/$source" ]; then echo "$object"; fi
    done
}
symbols() {
    objects | xargs nm -A -g | awk '{
        end = match($0, /\.o:/)
        object = substr($0, 1, end - 1)
        sub(/.*mlc_/, "", object)
        target = substr(object, 1, index(object, ".dir/") - 1)
        library = substr(target, 1, index(target, "_") - 1)
        room = substr(target, index(target, "_") + 1)
        sub(/.*\//, "", object)
        sub(/\.c$/, "", object)
        print library "/" (room == "root" ? "." : room) "/" object, $(NF - 1), $NF
    }'
}

# The names of the C library, as symbols of an object called "libc".
libc_symbols() {
    ldd "$build/mlc" | awk '$1 ~ /^lib[cm]\.so/ { print $3 }' | xargs nm -D --defined-only |
        awk 'NF == 3 { sub(/@.*/, "", $3); print "libc", "C", $3 }'
}

{ libc_symbols; symbols; } | awk -v libraries="$libraries" -v mode="$mode" '
    function room_of(object) { return substr(object, 1, match(object, /\/[^\/]*$/) - 1) }
    FILENAME == ARGV[1] { height[$1 "/" $2] = ++rooms; next }
    $1 == "libc" { libc[$3] = 1; next }
    $2 ~ /^[TDBRVWCG]$/ {
        home[$3] = $1
        if ($3 in libc) { print $3 " of " $1 " hides the C library\047s" > "/dev/stderr"; bad = 1 }
        next
    }
    $2 == "U" { user[++uses] = $1; used[uses] = $3 }
    END {
        count = split(libraries, list, " ")
        for (i = 1; i <= count; i++) {
            split(list[i], parts, ":")
            allowed[parts[1]] = "," parts[2] ","
            height[parts[1] "/."] = 1000 # what lies in the folder itself is above its rooms
        }
        for (i = 1; i <= uses; i++) {
            if (!(used[i] in home) || home[used[i]] == user[i]) continue
            from = room_of(user[i]); to = room_of(home[used[i]])
            if (from == to) continue
            edges[from " " to]++
            split(from, a, "/"); split(to, b, "/")
            if (a[1] == b[1] ? height[to] < height[from] : index(allowed[a[1]], "," b[1] ",")) continue
            print "edge upwards: " user[i] " uses " used[i] " of " home[used[i]] > "/dev/stderr"
            bad = 1
        }
        if (!rooms || !uses || !("accept" in libc)) { print "no rooms, no objects or no C library in the build folder" > "/dev/stderr"; bad = 1 }
        if (mode == "--edges") for (edge in edges) print edge, edges[edge] | "sort"
        exit bad
    }' "$build/rooms.txt" -
