# what systems leave in folders does not count, and neither do the endings
source "$GOLDEN/arrays.bash"
mkdir -p pictures/a pictures/b pictures/__MACOSX/a pictures/.git
for file in a/1.PNG a/2 b/3.jpeg b/4.dat; do small_png >pictures/$file; done
for file in .DS_Store a/.DS_Store a/Thumbs.db b/DESKTOP.INI b/._3.png; do echo words >pictures/$file; done
show_pictures
