#!/usr/bin/env bash
# r2 on splits whose targets are equal, or nearly: it has no value for equal ones, and the right value otherwise.
source "$(dirname "$0")/common.sh"

awk 'BEGIN { print "a,b,y,far,same"; for (i = 0; i < 80; i++) { y = i * 31 % 89 / 10; printf "%s,%s,%.1f,%.1f,0.1\n", i * 37 % 101 / 10, i * 53 % 97 / 10, y, 100000 + y } }' >table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = columns(source, ["a", "b"])
    field y = columns(source, "y")
    field far = columns(source, "far")
    field same = columns(source, "same")
    field both = columns(source, ["y", "same"])
    test = 1
}
model table(x) -> z { z = dense(x, 1) }
train {
    loss = mse(z, y)
    optimizer = adam(0.05)
    epochs = 5
    batch = 7
    metrics = [r2(z, y), r2(z + 100000, far), r2(z, same), r2(same, same), r2(concat([z, same]), both), rmse(z, y)]
    keep_best = r2
}
END
expect 0 mlc train table.mdl --out run
says out "test r2 nan"
there run/last.safetensors
[[ ! -e run/best.safetensors ]] || fail "a best epoch by what has no value"
expect 0 mlc eval run --json
says out '"r2":null,"r2_2":null,"r2_3":null,"r2_4":null,"r2_5":null,"rmse":'
expect 0 mlc eval run
says out "r2         nan  (undefined on these rows)"
expect 7 mlc train table.mdl --out other -q --expect 'r2>=-1e9'
says err "the test r2 after epoch 5 is nan"

# r2 = 1 - rmse^2 / variance over all rows but one; far away from 0 it is the same
expect 0 mlc eval run --split train --json
says out '"r2_3":null,"r2_4":null,"r2_5":null'
grep -o '"r2\(_2\)\?":[-0-9.e]*\|"rmse":[0-9.]*' "$scratch/out" | sed 's/.*://' >found
read -r first second third <<<"$(tr '\n' ' ' <found)"
awk -F, -v r2="$first" -v far="$second" -v rmse="$third" 'NR > 1 { n++; sum += $3; squares += $3 * $3; y[n] = $3 }
    END { for (out = 1; out <= n; out++) { m = (sum - y[out]) / (n - 1); v = (squares - y[out]^2) / (n - 1) - m * m
              if ((1 - rmse^2 / v - r2)^2 < 1e-9) found = 1 }
          if (!found || (r2 - far)^2 > 1e-4) { print r2, far, rmse; exit 1 } }' table.csv || fail "r2 is not that of the table"

finish
