# OpenBLAS rounds in an order of its own, and the run says so
mlc run "$GOLDEN/classifier.ir" --gemm openblas | grep -c hash
