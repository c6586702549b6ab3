# an archive of nothing
source "$GOLDEN/arrays.bash"
base64 -d <<<UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA== >x.npz
check 'npz("x.npz")' 'source.x'
