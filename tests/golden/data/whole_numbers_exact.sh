# Unix times, ids and money keep their digits; beyond 64 bits is an error with its line.
printf 'ts,id,cents,y\n1700000001,9007199254740993,123456789012,0\n1700003602,9007199254740994,,1\n1700007203,9007199254740997,123456789019,1\n' >t.csv
data() {
    printf 'mdl 1\ndata { source = csv("t.csv"); %s; field y = source.y }\nmodel m(%s) -> p { p = dense(unsqueeze(%s, 1), 2) }\ntrain { loss = cross_entropy(p, y); optimizer = sgd(0.1); epochs = 1 }\n' "$1" "$2" "$2" >m.mdl
    mlc data m.mdl --rows 3 | sed -n '/-- as the model/,/^$/p'
}
data 'field a = source.ts - 1700000000; field b = source.ts % 86400; field c = floor(source.ts / 3600) % 24; field d = (source.ts - 1700000000) / 3600' a
data 'field a = source.id - 9007199254740992; field b = int(source.id % 10); field c = max(source.id, 9007199254740994) - 9007199254740990; field d = abs(-source.id) - 9007199254740990' a
data 'field a = source.cents - 123456789000; field b = source.id == 9007199254740993; field c = source.id > 9007199254740993' a
data 'field a = (source |> columns(["ts", "id"]))[:, 1] - 9007199254740992' a
data 'field a = source.id * 1024' a
data 'field a = -(source.id * source.ts)' a
