# what the last line of a training names is there
source "$GOLDEN/small.bash"
mlc train small.mdl --quiet --set train.epochs=1 --out named | sed -n 's/^named: //p' | tr ',' '\n' | while read -r file; do
    [[ -s named/$file ]] && echo "$file"
done
