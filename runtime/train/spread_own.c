/* The part of the weights that this process owns: its update at the end of a step, and its moments.
 * The update is a program of its own, with states of its own. It works on pieces of weights: those
 * that lie in the part. */
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/program/states.h"
#include "runtime/train/spreading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool spread_has_moments(const Spread *spread) { return spread->moment_count > 0; }
bool spread_is_finite(const Spread *spread) { return spread->finite; }

/* -- the beginning and the end -- */

static void bind_input(Runner *runner, const char *prefix, const char *name, const void *data) {
    char whole[STEP_NAME];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    runner_input(runner, whole, data);
}

static void bind_inputs(const Spread *spread, Runner *runner) {
    const WeightParts *parts = &spread->plan.parts;
    for (uint32_t i = 0; i < parts->count; i++) {
        const OwnedPiece *piece = &spread->pieces[i];
        if (!piece->elements) continue;
        ptrdiff_t at = piece->weight - spread->weights - part_at(parts, spread->rank);
        bind_input(runner, GRADIENT_PREFIX, parts->places[i].name, spread->sum + at);
        bind_input(runner, WEIGHT_PREFIX, parts->places[i].name, piece->weight);
    }
    runner_input(runner, STEP_ROWS, &spread->rows);
    runner_input(runner, NORM_LARGEST, spread->norm_largest);
    runner_input(runner, NORM_SQUARES, spread->norm_squares);
}

static void list_pieces(Spread *spread) {
    const WeightParts *parts = &spread->plan.parts;
    spread->pieces = memory_array(parts->count, sizeof *spread->pieces, "the own weights");
    for (uint32_t i = 0; i < parts->count; i++) {
        char name[STEP_NAME];
        WeightPiece piece = part_piece(parts, &parts->places[i], spread->rank);
        spread->pieces[i] = (OwnedPiece){spread->weights + parts->places[i].at + piece.first,
                                         (size_t)piece.count, 0};
        snprintf(name, sizeof name, WEIGHT_PREFIX "%s", parts->places[i].name);
        if (piece.count) runner_place(spread->update, name, &spread->pieces[i].offset);
    }
}

static void reserve(Spread *spread) {
    const SpreadPlan *plan = &spread->plan;
    spread->weights = memory_array((size_t)plan->parts.elements, sizeof(float), "the weights");
    spread->sum = memory_array(spread_part(plan, spread->rank), sizeof(float), "the gradients");
    if (!plan->parts.whole_blocks) return;
    spread->norm_largest = memory_array((size_t)spread->size, sizeof(float), "the gradients");
    spread->norm_squares =
        memory_array(spread_squares_at(plan, spread->size), sizeof(float), "the gradients");
}

bool spread_open_own(Spread *spread) {
    const TrainOptions *options = spread->trainer->options;
    const SpreadOptions *programs = &options->spread;
    struct {
        const Program *program;
        Runner **runner;
    } all[] = {{programs->update, &spread->update},
               {programs->largest, &spread->largest},
               {programs->squares, &spread->squares}};
    spread->owned_states = states_new();
    reserve(spread);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].program) continue;
        *all[i].runner = runner_new(all[i].program, spread->owned_states, options->threads,
                                    spread->trainer->diag);
        if (!*all[i].runner) return false;
    }
    list_pieces(spread);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (*all[i].runner) bind_inputs(spread, *all[i].runner);
    return true;
}

void spread_close_own(Spread *spread) {
    runner_free(spread->update);
    runner_free(spread->largest);
    runner_free(spread->squares);
    states_free(spread->owned_states);
    free(spread->pieces);
    free(spread->moments);
    free(spread->weights);
    free(spread->sum);
    free(spread->norm_largest);
    free(spread->norm_squares);
}

/* -- the update -- */

static bool take_weights(void *context, int64_t index, const void *outputs) {
    const Spread *spread = context;
    (void)index;
    for (uint32_t i = 0; i < spread->plan.parts.count; i++) {
        const OwnedPiece *piece = &spread->pieces[i];
        memcpy(piece->weight, (const char *)outputs + piece->offset,
               piece->elements * sizeof *piece->weight);
    }
    return true;
}

static void run(Spread *spread, Runner *runner, int64_t batch, RunAfter *after) {
    RunTimes times = trainer_times(spread->trainer);
    runner_loop(runner, spread->trainer->order, 1, &times,
                spread_batch(&spread->plan, batch).end - 1, after, spread);
}

static size_t place_of_largest(const SpreadPlan *plan, int rank) {
    (void)plan;
    return (size_t)rank;
}

/* With clip_norm: every process learns the largest gradients of all, and the sums of squares. */
static bool share_norm(Spread *spread, int64_t batch) {
    const float *squares;
    if (!spread->largest) return true;
    run(spread, spread->largest, batch, NULL);
    memcpy(&spread->norm_largest[spread->rank], runner_output(spread->largest, NORM_LARGEST),
           sizeof(float));
    if (!spread_share(spread, batch, spread->norm_largest, place_of_largest)) return false;
    run(spread, spread->squares, batch, NULL);
    if ((squares = runner_output(spread->squares, NORM_SQUARES)))
        memcpy(spread->norm_squares + spread_squares_at(&spread->plan, spread->rank), squares,
               spread_squares(&spread->plan, spread->rank) * sizeof(float));
    return spread_share(spread, batch, spread->norm_squares, spread_squares_at);
}

bool spread_update(Spread *spread, int64_t batch) {
    partial_sums_finish(&spread->owned, spread->sum);
    if (!share_norm(spread, batch)) return false;
    run(spread, spread->update, batch, take_weights);
    return spread_gather(spread, batch);
}

/* -- moments -- */

void spread_list_moments(Spread *spread, const Graph *share) {
    const States *states = spread->trainer->options->states;
    spread->moments =
        memory_array(states_count(states), sizeof *spread->moments, "the moments of weights");
    for (uint32_t i = 0; i < states_count(states); i++) {
        const char *name = states_symbol(states, i)->name;
        const WeightPlace *place = spread_moment(&spread->plan, share, name);
        if (place) spread->moments[spread->moment_count++] = (SpreadMoment){name, place};
    }
}

void spread_take_states(Spread *spread) {
    const WeightParts *parts = &spread->plan.parts;
    const States *states = spread->trainer->options->states;
    float *moment = memory_array((size_t)parts->elements, sizeof *moment, "the moments of weights");
    for (uint32_t i = 0; i < parts->count; i++)
        states_read(states, parts->places[i].name, spread->weights + parts->places[i].at);
    for (uint32_t i = 0; i < spread->moment_count; i++) {
        WeightPiece piece = part_piece(parts, spread->moments[i].place, spread->rank);
        states_read(states, spread->moments[i].name, moment);
        if (piece.count)
            states_write(spread->owned_states, spread->moments[i].name, moment + piece.first);
    }
    free(moment);
}

/* The moments of a process, one after the other. */
static size_t moment_bytes(const Spread *spread, int rank) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < spread->moment_count; i++)
        bytes += (size_t)part_piece(&spread->plan.parts, spread->moments[i].place, rank).count *
                 sizeof(float);
    return bytes;
}

static void fill_moments(const Spread *spread, char *message) {
    for (uint32_t i = 0; i < spread->moment_count; i++) {
        WeightPiece piece = part_piece(&spread->plan.parts, spread->moments[i].place, spread->rank);
        if (!piece.count) continue;
        states_read(spread->owned_states, spread->moments[i].name, message);
        message += (size_t)piece.count * sizeof(float);
    }
}

/* Puts the pieces of all processes together. from[rank]: their moments. */
static void join_moments(const Spread *spread, const char **from) {
    const WeightParts *parts = &spread->plan.parts;
    float *moment = memory_array((size_t)parts->elements, sizeof *moment, "the moments of weights");
    for (uint32_t i = 0; i < spread->moment_count; i++) {
        for (int rank = 0; rank < spread->size; rank++) {
            WeightPiece piece = part_piece(parts, spread->moments[i].place, rank);
            size_t bytes = (size_t)piece.count * sizeof(float);
            memcpy(moment + piece.first, from[rank], bytes);
            from[rank] += bytes;
        }
        states_write(spread->trainer->options->states, spread->moments[i].name, moment);
    }
    free(moment);
}

/* A message begins with whether the moments are finite; rank 0 also gets these. */
bool spread_collect(Spread *spread) {
    const char *from[PEERS_MAX];
    int32_t finite = !states_nonfinite(spread->owned_states);
    size_t own = moment_bytes(spread, spread->rank);
    if (!spread->moment_count) return true;
    char *moments = memory_new(own, "the moments of weights");
    fill_moments(spread, moments);
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        size_t sent = rank ? 0 : own, got = spread->rank ? 0 : moment_bytes(spread, rank);
        char *message = peers_out(spread->peers, rank, sizeof finite + sent);
        memcpy(message, &finite, sizeof finite);
        memcpy(message + sizeof finite, moments, sent);
        peers_in(spread->peers, rank, sizeof finite + got);
    }
    bool good = spread_exchange(spread, max_i64(0, trainer_step(spread->trainer) - 1));
    spread->finite = finite;
    for (int rank = 0; rank < spread->size && good; rank++) {
        from[rank] = moments;
        if (rank == spread->rank) continue;
        from[rank] = (const char *)peers_content(spread->peers, rank) + sizeof finite;
        memcpy(&finite, peers_content(spread->peers, rank), sizeof finite);
        spread->finite &= finite != 0;
    }
    if (good && !spread->rank) join_moments(spread, from);
    free(moments);
    return good;
}

/* Sums of a step that is not finished are dropped, too: the partial sums have them. */
void spread_drop(Spread *spread) {
    States *states = spread->trainer->options->states;
    for (uint32_t i = 0; i < spread->moment_count; i++)
        states_clear(states, spread->moments[i].name);
    for (uint32_t i = 0; i < states_count(states); i++)
        if (!strncmp(states_symbol(states, i)->name, ACCUMULATE_PREFIX, strlen(ACCUMULATE_PREFIX)))
            states_clear(states, states_symbol(states, i)->name);
}
