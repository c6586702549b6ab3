/* `mlc data get` without a network: from folders and from a server in this process, with right,
 * wrong and missing files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/data/fetch.h"
#include "runtime/data/sources.h"
#include "temporary.h"
#include "tests/support/texts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

static const char *const package = "/usr/share/datasets/fashion-mnist"; /* where Debian puts it */
/* $MLC_DATA of the caller */
static const char *given;
static const char *const file = "fashion_mnist/train-images-idx3-ubyte";

static void expect_failure(const char *name, const char *from, Status status, const char *text) {
    Diagnostics *diag = diag_new();
    assert_false(data_get(name, from, true, diag));
    expect_messages(diag, status, text);
    diag_free(diag);
}

static void test_failures(void **state) {
    (void)state;
    expect_failure("minst", NULL, STATUS_USAGE, "did you mean 'mnist'?");
    expect_failure("mnist", temporary_path("nowhere"), STATUS_DATA,
                   "/nowhere/train-images-idx3-ubyte.gz: No such file or directory");
    expect_failure("mnist", "gopher://localhost", STATUS_DATA, "train-images-idx3-ubyte.gz: ");
    expect_failure("mnist", temporary_path("nowhere"), STATUS_DATA,
                   "mlc data get mnist --from FOLDER");
}

/* A file with other contents is rejected, and the old file stays. */
static void test_wrong_contents(void **state) {
    (void)state;
    char kept[16] = {0};
    mkdir(temporary_path("from"), 0777);
    mkdir(temporary_path("mnist"), 0777);
    temporary_write_packed("from/train-images-idx3-ubyte.gz", "other", 5);
    temporary_write("mnist/train-images-idx3-ubyte", "mine", 4);
    expect_failure("mnist", temporary_path("from"), STATUS_DATA,
                   "its contents are wrong (SHA-256 d9298a10d1b07358..., expected ba89");
    assert_int_equal(temporary_read("mnist/train-images-idx3-ubyte", kept, sizeof kept), 4);
    assert_int_not_equal(access(temporary_path("mnist/train-images-idx3-ubyte.gz"), F_OK), 0);
    assert_int_not_equal(access(temporary_path("mnist/train-images-idx3-ubyte.gz.part"), F_OK), 0);
}

/* Debian's package holds the genuine files, packed in another way. */
static void test_gets_genuine_files(void **state) {
    (void)state;
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

/* A table lies beside the folders of the sets, and its mirrors use another name for it. */
static void test_table(void **state) {
    (void)state;
    const char *name = "california_housing";
    char path[1200];
    Diagnostics *diag = diag_new();
    expect_failure(name, temporary_path("nowhere"), STATUS_DATA,
                   "copy 'california_housing.csv' from another machine");
    mkdir(temporary_path("tables"), 0777);
    temporary_write("tables/housing.csv", "other", 5);
    const char *mirror = temporary_path("tables");
    assert_false(
        fetch_from_places(name, &(FetchPlaces){&mirror, 1, FETCH_PLAIN, true}, true, diag));
    expect_messages(
        diag, STATUS_DATA,
        "tables/housing.csv: its contents are wrong (SHA-256 d9298a10d1b07358..., expected 8a37");
    assert_false(data_find(name, path, sizeof path));
    diag_free(diag);
    snprintf(path, sizeof path, "%s/california_housing.csv", given ? given : "");
    if (access(path, F_OK)) skip();
    diag = diag_new();
    assert_true(data_get(name, given, true, diag));
    diag_free(diag);
    assert_int_equal(access(temporary_path("california_housing.csv"), F_OK), 0);
    assert_true(data_find(name, path, sizeof path));
    assert_string_equal(path, temporary_folder);
}

/* -- a server on this machine: what is under /broken/ ends early, under /foreign/ it is something
 * else -- */

typedef struct {
    int listener;
    _Atomic int requests;
    char url[64];
    pthread_t thread;
} Server;

static void send_all(int client, const void *data, size_t bytes) {
    for (const char *at = data; bytes > 0;) {
        ssize_t sent = send(client, at, bytes, MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += sent;
        bytes -= (size_t)sent;
    }
}

static void send_file(int client, const char *name, bool whole) {
    char path[256], header[128], *bytes = malloc(32 << 20);
    snprintf(path, sizeof path, "%s/%s", package, name);
    FILE *in = fopen(path, "rb");
    size_t length = in ? fread(bytes, 1, 32 << 20, in) : 0;
    if (in) fclose(in);
    snprintf(header, sizeof header,
             in ? "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n"
                : "HTTP/1.0 404 Not Found\r\n\r\n",
             length);
    send_all(client, header, strlen(header));
    send_all(client, bytes, whole ? length : length / 2);
    free(bytes);
}

static void answer(int client, const char *request) {
    char folder[32] = "", name[96] = "";
    sscanf(request, "GET /%31[^/]/%95[^ ]", folder, name);
    send_file(client, strcmp(folder, "foreign") ? name : "t10k-labels-idx1-ubyte.gz",
              strcmp(folder, "broken") != 0);
}

static void *serve(void *context) {
    Server *server = context;
    for (int client; (client = accept(server->listener, NULL, NULL)) >= 0; close(client)) {
        char request[2048] = "";
        if (recv(client, request, sizeof request - 1, 0) <= 0) continue;
        server->requests++;
        answer(client, request);
    }
    return NULL;
}

static void server_start(Server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *server = (Server){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(Server *server) {
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

static void remove_files(void) {
    static const char *const names[] = {"train-images-idx3", "train-labels-idx1",
                                        "t10k-images-idx3", "t10k-labels-idx1"};
    char path[96];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "fashion_mnist/%s-ubyte.gz", names[i]);
        unlink(temporary_path(path));
    }
}

/* The first mirror fails in some way: then the second one is asked, for every file. */
static void test_mirrors(void **state) {
    (void)state;
    static const char *const failing[] = {"missing/x", "broken", "foreign"};
    if (access(package, F_OK)) skip();
    Server server;
    server_start(&server);
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        char bad[96], good[96];
        snprintf(bad, sizeof bad, "%s/%s", server.url, failing[i]);
        snprintf(good, sizeof good, "%s/good", server.url);
        Diagnostics *diag = diag_new();
        remove_files();
        server.requests = 0;
        bool got = fetch_from_places(
            "fashion_mnist", &(FetchPlaces){(const char *[]){bad, good}, 2, FETCH_PACKED, false},
            true, diag);
        if (!got) diag_print(diag, stderr);
        assert_true(got);
        /* the bad server sends one file in place of all: once it is the right one */
        assert_int_equal(server.requests, i == 2 ? 7 : 8);
        diag_free(diag);
    }
    server_stop(&server);
}

static void test_server(void **state) {
    (void)state;
    char from[96];
    if (access(package, F_OK)) skip();
    Server server;
    server_start(&server);
    Diagnostics *diag = diag_new();
    remove_files();
    snprintf(from, sizeof from, "%s/good", server.url);
    assert_true(data_get("fashion_mnist", from, true, diag));
    diag_free(diag);
    remove_files();
    snprintf(from, sizeof from, "%s/missing/x", server.url);
    expect_failure("fashion_mnist", from, STATUS_DATA, "404");
    snprintf(from, sizeof from, "%s/broken", server.url);
    expect_failure("fashion_mnist", from, STATUS_DATA, "train-images-idx3-ubyte.gz: ");
    server_stop(&server);
    snprintf(from, sizeof from, "%s/good", server.url); /* no server listens any more */
    expect_failure("fashion_mnist", from, STATUS_DATA, "onnect");
}

static int set_up(void **state) {
    if (temporary_set_up(state)) return -1;
    given = getenv("MLC_DATA") ? strdup(getenv("MLC_DATA")) : NULL;
    return setenv("MLC_DATA", temporary_folder, 1) || setenv("no_proxy", "127.0.0.1", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_wrong_contents),
        cmocka_unit_test(test_gets_genuine_files),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_mirrors),
        cmocka_unit_test(test_server),
    };
    return cmocka_run_group_tests(tests, set_up, temporary_tear_down);
}
