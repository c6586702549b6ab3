# test pictures of another size
source "$GOLDEN/arrays.bash"
idx 2 2 >images && printf '1234' >>images
idx 2 3 >tests && printf '123456' >>tests
check 'idx("images", test_images = "tests")' 'source.image'
