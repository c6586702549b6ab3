#!/usr/bin/env bash
# Pipes, devices, folders and links in the place of files. No command waits for another process or writes through a
# name that somebody else has made.
source "$(dirname "$0")/common.sh"
small_model
expect 0 mlc train small.mdl --out run -q --set train.epochs=1

# quick COMMAND...: the command must end, with any status
quick() {
    local got=0
    timeout 20 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
    [[ $got == 124 ]] && fail "$*: waits"
    [[ $got == [2345] ]] || fail "$*: ended with $got"
}
mkfifo pipe
for kind in pipe /dev/zero /dev/full .; do
    quick mlc check "$kind"
    quick mlc opt "$kind"
    sed "s#\"images\"#\"$kind\"#" small.mdl >m.mdl && quick mlc train m.mdl --out other
    for reader in csv npy npz images; do
        printf 'mdl 1\ndata { source = %s("%s"); field x = source.x }\nmodel m(x) -> y { y = x }\ntrain { loss = mean(y); optimizer = sgd(1) }\n' \
            $reader "$kind" >m.mdl
        quick mlc data m.mdl
    done
    printf 'mdl 1\nuse "%s"\n' "$kind" >m.mdl && quick mlc check m.mdl
    [[ $kind == . ]] || for name in pipe.png pipe.csv pipe.npy pipe.npz; do
        [[ $kind == pipe ]] && { rm -f $name && mkfifo $name; } || { rm -rf $name && ln -s "$kind" $name; }
        quick mlc predict run $name
    done
    for name in last.safetensors best.safetensors resolved.mdl metrics.jsonl; do
        rm -rf copy && cp -r run copy && rm copy/$name
        [[ $kind == pipe ]] && mkfifo copy/$name || ln -s "$(realpath "$kind")" copy/$name
        case $name in
        best*) quick mlc eval copy --checkpoint best ;;
        metrics*) timeout 20 mlc eval copy >"$scratch/out" 2>&1 </dev/null || [[ $? != 124 ]] || fail "eval waits for $kind" ;;
        *) quick mlc eval copy ;;
        esac
        [[ $name == best* ]] || quick mlc train --resume copy --set train.epochs=2
    done
done
expect 5 mlc check pipe
says err "cannot read 'pipe': it is no file, but a pipe or a device"
quick mlc profile small.mdl --trace pipe
says err "cannot write 'pipe': it is no file, but a pipe or a device"

# Standard input is read if the command line names it.
mlc check - <small.mdl >"$scratch/out" || fail "'-' is not read"
cat small.mdl | mlc check /dev/stdin >"$scratch/out" || fail "/dev/stdin is not read"

printf 'a,b,y\n1,2,0\n3,4,1\n5,1,0\n2,2,1\n' >t.csv
cat >t.mdl <<'END'
mdl 1
data { source = csv("t.csv"); field x = source |> columns(["a", "b"]); field y = source.y }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, y |> unsqueeze(1)); optimizer = sgd(0.01); epochs = 1 }
END
expect 0 mlc train t.mdl --out table -q
expect 0 mlc predict table t.csv --json
without_name() { sed 's/"file":"[^"]*",//'; } # of the file
without_name <"$scratch/out" >from_file
for name in - /dev/stdin; do
    mlc predict table $name --json <t.csv | without_name | cmp from_file - || fail "rows from $name are predicted otherwise"
    cat t.csv | mlc predict table $name --json | without_name | cmp from_file - || fail "rows of a pipe are predicted otherwise"
    gzip <t.csv | mlc predict table $name --json | without_name | cmp from_file - || fail "packed rows are predicted otherwise"
done
printf 'a,b\n1,x\n' | mlc predict table - >"$scratch/out" 2>"$scratch/err" && fail "a wrong cell from stdin is not told"
says err "column 'b'"

# A small packed file does not fill the memory.
{ cat t.csv; head -c 70000000 /dev/zero | tr '\0' '\n'; } | gzip -9 >bomb.csv.gz
sed 's/t.csv/bomb.csv.gz/' t.mdl >bomb.mdl
expect 4 mlc train bomb.mdl --out bomb
says err "bomb.csv.gz" "it is longer than 64 MiB, the maximum for a packed file of its size" "unpack it first: gunzip"
expect 4 mlc predict table bomb.csv.gz
gunzip bomb.csv.gz && sed 's/t.csv/bomb.csv/' t.mdl >bomb.mdl && rm -r bomb 2>/dev/null
expect 0 mlc train bomb.mdl --out bomb -q

# A link with the name of a temporary file is neither followed nor replaced.
echo precious >precious
mkdir linked && for ((i = $$; i < $$ + 400; i++)); do ln -s ../precious linked/last.safetensors.$i-0.tmp; done
ln -s ../precious linked/last.safetensors.tmp && ln -s ../precious linked/resolved.mdl.tmp
expect 0 mlc train small.mdl --out linked -q --set train.epochs=1
[[ $(<precious) == precious ]] || fail "a temporary file was written through a link"
[[ -L linked/last.safetensors.tmp ]] || fail "somebody else's file was removed"
there linked/last.safetensors
finish
