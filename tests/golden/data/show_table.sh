# a table: missing cells, a constant column, an identifier, an outlier, rows that stand twice, before and after the transforms
{
    echo 'id,rooms,age,kind,land,price'
    for i in {1..40}; do echo "$i,$((i % 5 + 1)),$((i * 7 % 13)).5,$([[ $((i % 9)) == 4 ]] || echo "k$((i % 3))"),NL,$((i * 100))"; done
    echo '41,99999,,k1,NL,2500'
    echo '41,99999,,k1,NL,2500'
} >houses.csv
cat >houses.mdl <<'END'
mdl 1
data {
    source = csv("houses.csv")
    field x = concat([
        source |> columns(["rooms", "age"]) |> impute("median") |> standardize,
        source |> columns("kind") |> one_hot,
    ])
    field y = log(source |> columns("price") - 200)
    valid = 3
    test = 5
    seed = 2
}
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, y); optimizer = sgd(0.1); batch = 4 }
END
mlc data houses.mdl
