# a picture that ends in the middle
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mNg+M/Q4AAA >pictures/a/1.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mNg+M/Q4AAABUIBwG1eeKAAAAAASUVORK5CYII= >pictures/b/1.png
cat >model.mdl <<'END'
mdl 1
data { source = images("pictures"); field x = source.image; field label = source.label }
model m(x) -> y { y = flatten(x) |> dense(2) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
mlc data model.mdl --rows 3
