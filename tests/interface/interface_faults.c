/* Lets one allocation of the library fail, at many places, and looks at what is left.
 *
 *   interface_faults MODEL IMAGES LABELS FOLDER PLACES [FIRST [compile]]
 *
 * A round opens the model for a training, predicts, trains a step, saves and closes. In round n one
 * allocation fails: malloc and its kind, mmap, or the start of a thread. Then each call must return
 * MLC_OK, or with a message MLC_NO_MEMORY; or MLC_FILE, if a file or folder is the reason. After
 * mlc_close no memory, no file and no thread may be left. A round without a fault ends the test: it
 * gives the same bits as the first. */
#include "checks.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- the allocator of the process -- */

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *memory);

static atomic_long calls, live, fails_at;

static bool fails(void) {
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (number != atomic_load(&fails_at)) return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory) {
    if (memory) atomic_fetch_add(&live, 1);
    return memory;
}

void *malloc(size_t bytes) { return fails() ? NULL : counted(__libc_malloc(bytes)); }
void *calloc(size_t count, size_t bytes) {
    return fails() ? NULL : counted(__libc_calloc(count, bytes));
}
void *realloc(void *old, size_t bytes) {
    if (fails()) return NULL;
    void *memory = __libc_realloc(old, bytes);
    return old ? memory : counted(memory);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
    return fails() ? NULL : counted(__libc_memalign(alignment, bytes));
}
void free(void *memory) {
    if (memory) atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}
void *mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (fails()) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
}

/* -- what is left -- */

static int entries(const char *path) {
    int count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

/* -- a round -- */

typedef struct {
    const char *model, *folder;
    const unsigned char *images, *labels;
    int64_t rows, width;
    int no_cache;
} FaultCase;

typedef struct {
    mlc_status open, predict, step, save;
    float scores[10], loss, after[10];
} FaultOutcome;

static bool allowed(mlc_status status) {
    return status == MLC_OK || status == MLC_NO_MEMORY || status == MLC_FILE;
}

static void expect(mlc_status status, const char *call, const mlc_network *network, long at) {
    const char *message = mlc_message(network);
    if (allowed(status) && (status == MLC_OK || *message)) return;
    printf("allocation %ld: %s returned %d: %s\n", at, call, (int)status, message);
    exit(1);
}

static FaultOutcome run(const FaultCase *one, long at) {
    FaultOutcome outcome = {0};
    float *outputs[] = {outcome.scores};
    const void *inputs[2] = {one->images, one->labels};
    mlc_network *network;
    mlc_options options = {.size = sizeof options,
                           .training = 1,
                           .threads = 2,
                           .epoch_rows = one->rows,
                           .no_cache = one->no_cache};
    atomic_store(&calls, 0);
    atomic_store(&fails_at, at);
    outcome.open = mlc_open(one->model, &options, &network);
    expect(outcome.open, "mlc_open", network, at);
    if (outcome.open == MLC_OK) {
        outcome.predict = mlc_predict(network, 1, inputs, outputs);
        expect(outcome.predict, "mlc_predict", network, at);
        outcome.step = mlc_step(network, mlc_batch(network), inputs, &outcome.loss);
        expect(outcome.step, "mlc_step", network, at);
        outputs[0] = outcome.after;
        expect(mlc_predict(network, 1, inputs, outputs), "mlc_predict", network, at);
        outcome.save = mlc_save(network, one->folder);
        expect(outcome.save, "mlc_save", network, at);
    }
    mlc_close(network);
    atomic_store(&fails_at, 0);
    return outcome;
}

typedef struct {
    long memory;
    int files, threads;
} Left;

static Left left(void) {
    Left all = {.files = entries("/proc/self/fd"), .threads = entries("/proc/self/task")};
    all.memory = atomic_load(&live);
    return all;
}

static bool same(Left a, Left b) {
    return a.memory == b.memory && a.files == b.files && a.threads == b.threads;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int64_t label_rows, one_label;
    FaultCase one = {.model = argv[1], .folder = argv[4], .no_cache = argc > 7};
    one.images = read_idx_rows(argv[2], &one.rows, &one.width);
    one.labels = read_idx_rows(argv[3], &label_rows, &one_label);
    run(&one, 0); /* what the process keeps is made by now */
    Left before = left();
    FaultOutcome whole = run(&one, 0);
    long all = atomic_load(&calls), places = atol(argv[5]), step = all / places + 1, failed = 0;
    for (long at = argc > 6 ? atol(argv[6]) : 1; at <= all; at += step) {
        FaultOutcome outcome = run(&one, at);
        failed += outcome.open == MLC_NO_MEMORY || outcome.predict || outcome.step || outcome.save;
        Left now = left();
        if (same(now, before)) continue;
        printf(
            "allocation %ld of %ld (open %d, predict %d, step %d, save %d): %ld blocks, %d files "
            "and %d threads instead of %ld, %d and %d are left\n",
            at, all, (int)outcome.open, (int)outcome.predict, (int)outcome.step, (int)outcome.save,
            now.memory, now.files, now.threads, before.memory, before.files, before.threads);
        return 1;
    }
    FaultOutcome again = run(&one, 0);
    bool good = !memcmp(&whole, &again, sizeof whole) && same(left(), before);
    printf("%ld allocations, %ld of %ld faults ended a call, %s\n", all, failed,
           (all + step - 1) / step, good ? "nothing is left" : "the last round differs");
    free((void *)one.images);
    free((void *)one.labels);
    return !good || !failed;
}
