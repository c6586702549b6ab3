# Words and signs that other programs have, in arguments, keys and expressions: one mistake at a time.
printf 'a,b,y\n1,2,0\n2,1,1\n3,3,2\n' >table.csv
source "$GOLDEN/../../support/one_mistake.bash"
exec 2>&1
# arguments
wrong 's/"table.csv"/"table.csv", sep = ";"/'
wrong 's/"table.csv"/"table.csv", na_values = "?"/'
wrong 's/"table.csv"/"table.csv", encoding = "latin1"/'
wrong 's/cross_entropy\(logits, y/cross_entropy(logits, y, label_smoothing = 0.1/'
wrong 's/cross_entropy\(logits, y/cross_entropy(logits, y, reduction = "sum"/'
wrong 's/adam\(lr = 1e-3/sgd(lr = 1e-3, weight_decay = 1e-4/'
wrong 's/adam\(lr = 1e-3/adam(betas = [0.9, 0.99]/'
wrong 's/relu/relu |> softmax(dim = 1)/'
# keys
wrong 's/batch     = 16/random_state = 1/'
wrong 's/batch     = 16/num_workers = 4/'
wrong 's/batch     = 16/validation_split = 0.1/'
wrong 's/(field y.*)/\1\n    random_state = 1/'
wrong 's/(field y.*)/\1\n    test_size = 0.2/'
wrong 's/(field y.*)/\1\n    label z = source.a/'
wrong 's/(field y.*)/\1\n    test = last(20%)/'
wrong 's/(field y.*)/\1\n    test = column(a)/'
wrong 's/(field y.*)/\1\n    test = "test.csv"/'
# functions
wrong 's/csv\(.*/parquet("table.parquet")/'
wrong 's/csv\(.*/cifar10()/'
wrong 's/dense\(8\)/lstm(8)/'
wrong 's/dense\(8\)/dropout(50%)/'
wrong 's/adam\(.*/lion(1e-3)/'
# expressions
wrong 's/columns.*/columns(source, 0:1)/'
wrong 's/logits = x/h = x \/\/ 2\n    logits = h/'
wrong 's/logits = x/h = reshape(x, [-1, 2])\n    logits = h/'
wrong 's/logits = x/for i = 1..3 { x = relu(x) }\n    logits = x/'
wrong 's/net\(x\)/net()/'
# layers and losses
wrong 's/source.y$/source.y\n    field h = columns(source, ["a"]) |> dense(4) |> conv(3, kernel = 1)/'
wrong 's/cross_entropy\(logits, y/mse(dropout(logits), one_hot(y, 3)/'
wrong 's/cross_entropy\(logits, y/mse(logits, one_hot(y, 3)/'
wrong 's/cross_entropy\(logits, y\)/1 - accuracy(logits, y)/'
wrong 's/cross_entropy\(logits, y\)/mse(floor(logits), one_hot(y, 3))/'
wrong 's/cross_entropy\(logits, y\)/mse(detach(logits), one_hot(y, 3))/'
# files
wrong 's/table.csv/tabel.csv/'
wrong 's/table.csv/.\/Table.csv/'
wrong 's/table.csv//'
wrong 's/table.csv/~\/table.csv/'
wrong 's/table.csv/https:\/\/example.org\/table.csv/'
