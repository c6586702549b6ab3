# several slips at once
source "$GOLDEN/small.bash"
mlc train small.mdl --treads 2 --gemm blas -O 7 --epochs 3
