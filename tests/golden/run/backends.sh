# One graph, every way to run it: the same bits.
for way in "--backend ref" "--backend jit -O0 --threads 1" "--backend jit -O1 --threads 2" "--backend jit -O2 --threads 3" \
    "--backend jit -O3" "--backend jit --skip simplify --skip layout"; do
    mlc run "$GOLDEN/classifier.ir" $way --steps 3 | sed -n "s/^hash/$way: hash/p"
done
