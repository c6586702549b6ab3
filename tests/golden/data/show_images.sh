# a folder of pictures in colour: the first ones in characters, a picture that is there twice
source "$GOLDEN/arrays.bash"
mkdir -p pictures/cat pictures/dog && small_png >pictures/cat/1.png && small_png >pictures/cat/2.png && wide_png >pictures/dog/1.png
cat >model.mdl <<'END'
mdl 1
data { source = images("pictures", height = 4, width = 8); field x = source.image / 255; field label = source.label }
model m(x) -> y { y = flatten(x) |> dense(2) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
mlc data model.mdl --rows 3
