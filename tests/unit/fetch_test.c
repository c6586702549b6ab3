/* `mlc data get` without a network: from folders, with right, wrong and missing files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/runtime.h"
#include "temporary.h"

static const char *const file = "fashion_mnist/train-images-idx3-ubyte";

static void expect_failure(const char *name, const char *from, Status status, const char *text) {
    Diagnostics *diag = diag_new();
    char *printed;
    size_t size;
    assert_false(data_get(name, from, true, diag));
    FILE *out = open_memstream(&printed, &size);
    diag_print(diag, out);
    fclose(out);
    assert_int_equal(diag_status(diag), status);
    if (!strstr(printed, text)) fail_msg("expected \"%s\" in \"%s\"", text, printed);
    free(printed);
    diag_free(diag);
}

static void test_failures(void **state) {
    (void)state;
    expect_failure("minst", NULL, STATUS_USAGE, "did you mean 'mnist'?");
    expect_failure("mnist", temporary_path("nowhere"), STATUS_DATA, "/nowhere/train-images-idx3-ubyte.gz: No such file or directory");
    expect_failure("mnist", "gopher://localhost", STATUS_DATA, "train-images-idx3-ubyte.gz: ");
    expect_failure("mnist", temporary_path("nowhere"), STATUS_DATA, "mlc data get mnist --from FOLDER");
}

/* A file with other contents is not taken, and what was there stays. */
static void test_wrong_contents(void **state) {
    (void)state;
    char kept[16] = {0};
    mkdir(temporary_path("from"), 0777);
    mkdir(temporary_path("mnist"), 0777);
    temporary_write_packed("from/train-images-idx3-ubyte.gz", "other", 5);
    temporary_write("mnist/train-images-idx3-ubyte", "mine", 4);
    expect_failure("mnist", temporary_path("from"), STATUS_DATA, "its contents are others (SHA-256 d9298a10d1b07358..., expected ba89");
    assert_int_equal(temporary_read("mnist/train-images-idx3-ubyte", kept, sizeof kept), 4);
    assert_int_not_equal(access(temporary_path("mnist/train-images-idx3-ubyte.gz"), F_OK), 0);
    assert_int_not_equal(access(temporary_path("mnist/train-images-idx3-ubyte.gz.part"), F_OK), 0);
}

/* Debian's package holds the genuine files, packed in another way. */
static void test_gets_genuine_files(void **state) {
    (void)state;
    const char *package = "/usr/share/datasets/fashion-mnist";
    char packed[64];
    if (access(package, F_OK)) skip();
    Diagnostics *diag = diag_new();
    mkdir(temporary_path("fashion_mnist"), 0777);
    temporary_write(file, "damaged", 7);
    assert_true(data_get("fashion_mnist", package, true, diag));
    snprintf(packed, sizeof packed, "%s.gz", file);
    assert_int_equal(access(temporary_path(packed), F_OK), 0);
    assert_int_not_equal(access(temporary_path(file), F_OK), 0);
    assert_true(data_get("fashion_mnist", "/nowhere", true, diag)); /* they are there already */
    diag_free(diag);
}

static int set_up(void **state) {
    if (temporary_set_up(state)) return -1;
    return setenv("MLC_DATA", temporary_folder, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_wrong_contents),
        cmocka_unit_test(test_gets_genuine_files),
    };
    return cmocka_run_group_tests(tests, set_up, temporary_tear_down);
}
