# every digit of a number is shown: exponents, and whole numbers of more than six digits
printf 'a,b,c\n-0.000012345678,1,-2147483648\n-13031600000,1830322,2147483647\n-8.65529e-31,3,-9\n-0.25,,4\n' >d.csv
cat >m.mdl <<'END'
mdl 1
data { source = csv("d.csv"); field x = source |> columns("a"); field y = source |> columns("b") |> impute("mean") }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p, y); optimizer = sgd(0.0) }
END
mlc data m.mdl
mlc data m.mdl --json | grep -o '"min":[^,]*,"mean":[^,]*,"max":[^,]*'
