# Numbers with other signs, other delimiters: what makes text of a column, and what to do.
check() {
    printf 'mdl 1\ndata { source = csv("t.csv"%s); field x = source |> columns("x"); field y = source.y }\nmodel m(x) -> p { p = dense(x, 2) }\ntrain { loss = cross_entropy(p, y); optimizer = sgd(0.1) }\n' "${1-}" >m.mdl
    mlc check m.mdl
}
printf 'x;y\n22,8;0\n1,5;1\n' >t.csv
check
check ', delimiter = ";"'
check ', delimiter = ";", decimal = ","'
check ', decimal = ";"'
check ', thousands = "."'
check ', delimiter = ";", decimal = "", thousands = ","'
printf 'x\ty\n1\t0\n' >t.csv
check
for cell in '1,830,322' '1.234.567,89' '1 234,5' '1,2,3' '1e400' '+5' '12.5.1' '1,83,0'; do
    printf 'x,y\n"%s",0\n2,1\n' "$cell" >t.csv
    echo "== $cell"
    check
    check ', thousands = ","'
done
