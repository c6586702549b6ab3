# a single class is nothing to learn, but no error
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a && small_png >pictures/a/1.png && wide_png >pictures/a/2.png
cat >model.mdl <<'END'
mdl 1
data { source = images("pictures", height = 2, width = 2); field x = source.image; field label = source.label }
model m(x) -> y { y = flatten(x) |> dense(2) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
mlc data model.mdl --rows 3
