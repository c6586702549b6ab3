# Sourced by the tests of this folder: the small data and model of tests/cli.
MAKE_DATA=$(dirname "$(realpath "$(command -v mlc)")")/tests/make_data
source "$GOLDEN/../../cli/small_model.bash"
small_model
