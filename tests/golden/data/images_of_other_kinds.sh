# 16 bits, colours by number, transparency: brought to colours of 8 bits; transparent parts are white
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR42mNgYPj/n6GBof4/ABD6A/2jcx0BAAAAAElFTkSuQmCC >pictures/a/deep.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAMAAABFaP0WAAAABlBMVEX/AAAAAP9sof2OAAAADElEQVR42mNgYARCAAAMAAMVnhj8AAAAAElFTkSuQmCC >pictures/b/numbered.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAEUlEQVR42mPgEpH7zwACMAYAGDsCd7JGVRsAAAAASUVORK5CYII= >pictures/b/transparent.png
show_pictures
