# a picture that ends in the middle
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mNg+M/Q4AAA >pictures/a/1.png
base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mNg+M/Q4AAABUIBwG1eeKAAAAAASUVORK5CYII= >pictures/b/1.png
show_pictures
