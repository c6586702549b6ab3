# 16 bits, colours by number, transparency: brought to colours of 8 bits; transparent parts are white
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR42mNgYPj/n6GBof4/ABD6A/2jcx0BAAAAAElFTkSuQmCC >pictures/a/deep.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAMAAABFaP0WAAAABlBMVEX/AAAAAP9sof2OAAAADElEQVR42mNgYARCAAAMAAMVnhj8AAAAAElFTkSuQmCC >pictures/b/numbered.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAEUlEQVR42mPgEpH7zwACMAYAGDsCd7JGVRsAAAAASUVORK5CYII= >pictures/b/transparent.png
cat >model.mdl <<'END'
mdl 1
data { source = images("pictures"); field x = source.image; field label = source.label }
model m(x) -> y { y = flatten(x) |> dense(2) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
mlc data model.mdl --rows 3
