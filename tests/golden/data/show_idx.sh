# idx files, labels without names: a class that only test rows have, one that no row has; rows of numbers
source "$GOLDEN/arrays.bash"
idx 3 4 >images && printf '\0\1\2\3\4\5\6\7\0\1\2\3' >>images
idx 3 >labels && printf '\0\1\0' >>labels
idx 2 4 >test_images && printf '\0\1\2\3\4\4\4\4' >>test_images
idx 2 >test_labels && printf '\1\3' >>test_labels
cat >model.mdl <<'END'
mdl 1
data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 4)
    field x = source.image / 4
    field label = source.label
}
model m(x) -> y { y = dense(x, 4) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
mlc data model.mdl --split test
