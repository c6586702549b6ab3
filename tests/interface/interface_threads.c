/* Several threads, each with networks of its own, at once: the same bits as one thread alone.
 *
 *   interface_threads RUN MODEL IMAGES LABELS THREADS ROUNDS */
#include "checks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, STEPS = 4 };

typedef struct {
    float scores[CLASSES], losses[STEPS];
} Result;

typedef struct {
    const char *run, *model;
    const void *images, *labels;
    int rounds, threads;
    Result result;
} Task;

static void predict(Task *task) {
    mlc_network *network;
    mlc_options options = {.size = sizeof options, .threads = task->threads};
    CHECK(mlc_open(task->run, &options, &network) == MLC_OK, network);
    CHECK(mlc_predict(network, 1, &task->images, (float *[]){task->result.scores}) == MLC_OK,
          network);
    mlc_close(network);
}

static void train(Task *task) {
    mlc_network *network, *missing;
    const void *inputs[] = {task->images, task->labels};
    mlc_options options = {.size = sizeof options, .training = 1, .threads = task->threads};
    CHECK(mlc_open(task->model, &options, &network) == MLC_OK, network);
    for (int i = 0; i < STEPS; i++)
        CHECK(mlc_step(network, mlc_batch(network), inputs, &task->result.losses[i]) == MLC_OK,
              network);
    CHECK(mlc_open("nowhere", NULL, &missing) == MLC_FILE, missing);
    mlc_close(missing);
    mlc_close(network);
}

static void *work(void *context) {
    Task *task = context;
    Result first;
    for (int i = 0; i < task->rounds; i++) {
        predict(task);
        train(task);
        if (i) CHECK(!memcmp(&first, &task->result, sizeof first), NULL);
        first = task->result;
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    int64_t rows, width, label_rows, one;
    unsigned char *images = read_idx_rows(argv[3], &rows, &width),
                  *labels = read_idx_rows(argv[4], &label_rows, &one);
    int count = atoi(argv[5]), rounds = atoi(argv[6]);
    Task *tasks = calloc((size_t)count, sizeof *tasks);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    for (int i = 0; i < count; i++) {
        tasks[i] = (Task){argv[1], argv[2], images, labels, rounds, 1 + i % 2, {{0}, {0}}};
        if (pthread_create(&threads[i], NULL, work, &tasks[i])) return 3;
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    for (int i = 1; i < count; i++)
        CHECK(!memcmp(&tasks[0].result, &tasks[i].result, sizeof tasks[0].result), NULL);
    free(tasks);
    free(threads);
    free(images);
    free(labels);
    return 0;
}
