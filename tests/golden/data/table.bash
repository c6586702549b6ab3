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

# train_labels COLUMNS TABLE: trains on the text in the column kind, with so many outputs.
train_labels() {
    printf "$2" >table.csv
    cat >table.mdl <<END
mdl 1
data { source = csv("table.csv"); field x = source |> columns("size"); field kind = source.kind }
model m(x) -> y { y = dense(x, $1) }
train { loss = cross_entropy(y, kind); optimizer = sgd(0.1); batch = 2 }
END
    mlc train table.mdl --out run
}
