# Numbers with other signs: the help keeps the sign that is given, and cells are shown with their letters.
model() {
    printf 'mdl 1\ndata { source = csv("t.csv", delimiter = ";"%s)\nfield x = columns(source, "Größe")\nfield y = source.y }\nmodel m(x) -> p { p = dense(x, 1) }\ntrain { loss = mse(p[:, 0], y); optimizer = sgd(0.1) }\n' "$1" >m.mdl
    mlc data m.mdl --rows 0 | grep -E 'Gr|error'
}
exec 2>&1
printf 'Größe;y\n1.000;1\n2.000;2\n' >t.csv
model ', decimal = ","'
printf 'Größe;y\n1.000,5;1\n2.000,5;2\n' >t.csv
model ''
model ', decimal = ","'
printf 'Größe;y\n12 km, wörtlich mehr als vierzig Zeichen lang;1\n2;2\n' >t.csv
model ''
printf 'Größe,y\n1,1\n' >t.csv
model ''
