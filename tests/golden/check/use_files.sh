# models of several files: what is wrong with one of them is shown in it
mkdir lib
cat >lib/data.mdl <<'END'
mdl 1
data {
    source = mnist()
    field image = source.image / 255
    field label = source.label
}
END
cat >lib/train.mdl <<'END'
# the version comes first, after comments
mdl 1
use "data.mdl"
use "blocks.mdl"
train { loss = cross_entropy(logits, label); optimizer = adam() }
END
printf 'mdl 1; param width = 64 in 1..512 # no newline at the end\ndef block(x) = x |> dense(width) |> relu' >lib/blocks.mdl
model() { printf '%s\n' 'mdl 1' "$@" 'model net(image) -> logits { logits = image |> flatten |> block |> dense(10) }' >model.mdl; }
check() {
    echo "-- $*" >&2
    mlc check model.mdl "$@"
}

model 'use "lib/train.mdl"; use "lib/../lib//./data.mdl"'
check
check --set width=1000
mlc check - <model.mdl

model 'use "lib/train.mdl"' 'use "lib/nothing.mdl"' 'use "lib"' 'use "/dev/zero"' 'use ""'
check
model 'use "lib/train.mdl"' 'def block(x) = x' 'param width = 3'
check
model 'use "lib/train.mdl"' 'data { source = mnist() }'
check
model 'use "model.mdl"'
check

printf 'mdl 1\nuse "b.mdl"\n' >lib/a.mdl
printf 'mdl 1\nuse "./a.mdl"\n' >lib/b.mdl
model 'use "lib/a.mdl"' 'use "lib/train.mdl"'
check
printf 'mdl 1\ndef twice(x) = x |> blck |> block\n' >lib/b.mdl
printf 'mdl 1\nuse "lib/a.mdl"\nuse "lib/train.mdl"\nmodel net(image) -> logits { logits = image |> flatten |> twice |> dense(10) }\n' >model.mdl
check
printf 'mdl 1\ndef twice(x) = x |>\n' >lib/b.mdl
check
printf 'mdl 2\n' >lib/b.mdl
check
: >lib/b.mdl
check

for i in {0..70}; do printf 'mdl 1\nuse "%d.mdl"\n' $((i + 1)) >lib/$i.mdl; done
printf 'mdl 1\nuse "lib/0.mdl"\n' >model.mdl
mlc check model.mdl 2>&1 | head -n 4
{ echo 'mdl 1' && yes '# a line of comment' | head -n 30000; } | tee lib/a.mdl >lib/b.mdl
model 'use "lib/a.mdl"' 'use "lib/b.mdl"' 'use "lib/train.mdl"'
check
