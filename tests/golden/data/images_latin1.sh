# a class whose name is not UTF-8
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/$'\xe4' && small_png >pictures/a/1.png && small_png >pictures/$'\xe4'/1.png
check 'images("pictures")' 'source.image'
