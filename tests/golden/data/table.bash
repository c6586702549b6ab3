# Sourced by tests of tables. table READER FIELD: checks a model on the table that stdin holds, table.csv.
table() {
    local reader='csv("table.csv")' field='source |> columns(0)'
    cat >table.csv
    cat >table.mdl <<END
mdl 1
data {
    source = ${1-$reader}
    field x = ${2-$field}
}
model m(x) -> y { y = dense(x, 1) }
train { loss = mean(y); optimizer = sgd(0.1); batch = 2 }
END
    mlc check table.mdl
}
