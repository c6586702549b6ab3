# Text that is wider than its column ends in dots.
printf 'when,place,y\n2024-06-29 13:45,Sankt Pölten am See,1\n2024-06-30 06:00,Graz,2\n' >t.csv
cat >m.mdl <<'MODEL'
mdl 1
data {
    source = csv("t.csv")
    field x = date(source.when, "%F %R", ["hour", "minute"])
    field place = one_hot(columns(source, "place"))
    field y = source.y
}
model m(x, place) -> p { p = concat([x, place]) |> dense(1) }
train { loss = mse(p[:, 0], y); optimizer = sgd(0.1) }
MODEL
mlc data m.mdl --rows 2 | sed -n '/first rows/,/as the model/p'
