# a class that only the test pictures have
source "$GOLDEN/arrays.bash"
mkdir -p train/a test/b && small_png >train/a/1.png && small_png >test/b/1.png
check 'images("train", test = "test")' 'source.image'
