# [N, 2] beside [N]: the remedy is said.
printf 'a,b,y\n1,2,0\n2,1,1\n3,3,2\n' >table.csv
source "$GOLDEN/../../support/one_mistake.bash"
wrong 's/dense\(8\)/dense(8) |> squeezed/; s/^train/def squeezed(h) = concat([h, h[:, 0]])\ntrain/' 2>&1
