/* Compares what must be the same in all processes of a training. */
#include "runtime/peers/peers.h"

#include <stdio.h>
#include <string.h>

void peers_fact(PeerFacts *facts, const char *what, const char *value) {
    uint32_t at = facts->count++;
    snprintf(facts->facts[at].what, PEER_FACT, "%s", what);
    snprintf(facts->facts[at].value, PEER_FACT, "%s", value);
}

/* What the processes have sent: those of rank r are known[r]. */
typedef struct {
    Peers *peers;
    const PeerFacts **known;
    Diagnostics *diag;
} Comparison;

static bool same_errors(const Comparison *c, int a, int b) {
    return !strcmp(c->known[a]->errors, c->known[b]->errors);
}

/* The ranks from `rank` on that have the same errors: "[rank 3]", "[ranks 1, 3]". */
static void print_ranks(const Comparison *c, int rank) {
    int last = rank;
    for (int other = rank; other < peers_size(c->peers); other++)
        if (same_errors(c, rank, other)) last = other;
    fprintf(stderr, last > rank ? "[ranks %d" : "[rank %d", rank);
    for (int other = rank + 1; other <= last; other++)
        if (same_errors(c, rank, other)) fprintf(stderr, ", %d", other);
    fputs("] ", stderr);
}

/* Whether the same errors were printed for an earlier rank. */
static bool is_told(const Comparison *c, int rank) {
    for (int before = 0; before < rank; before++)
        if (same_errors(c, before, rank)) return true;
    return false;
}

/* Prints every line with the ranks that say it. */
static void print_errors(const Comparison *c, int rank) {
    for (const char *line = c->known[rank]->errors; *line;) {
        size_t length = strcspn(line, "\n");
        print_ranks(c, rank);
        fprintf(stderr, "%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* Rank 0 prints the errors of the other ranks; its own are in its diagnostics. Returns whether all
 * processes can begin. */
static bool tell_failures(const Comparison *c) {
    bool good = true;
    for (int rank = 0; rank < peers_size(c->peers); rank++) {
        if (c->known[rank]->status == STATUS_OK) continue;
        if (good) peers_announce(c->peers, c->known[rank]->status);
        good = false;
        if (rank == 0 || is_told(c, rank) || peers_rank(c->peers)) continue;
        print_errors(c, rank);
        if (c->known[0]->status == STATUS_OK)
            diag_error(c->diag, c->known[rank]->status, (Span){0},
                       "rank %d cannot begin: its message is above", rank);
    }
    return good;
}

/* Compares the facts of a rank with those of rank 0; reports the first difference. */
static bool compare_with(const Comparison *c, int rank) {
    const PeerFacts *own = c->known[0], *other = c->known[rank];
    for (uint32_t i = 0; i < own->count && i < other->count; i++) {
        if (!strcmp(own->facts[i].value, other->facts[i].value)) continue;
        diag_error(c->diag, STATUS_RANK, (Span){0},
                   "rank %d differs from rank 0 in %s: '%.64s', not '%.64s'", rank,
                   own->facts[i].what, other->facts[i].value, own->facts[i].value);
        diag_help(c->diag, "all processes need the same mlc, the same files and the same options");
        return false;
    }
    return true;
}

/* All processes compare all facts, but only rank 0 tells what it finds. */
bool peers_agree(Peers *peers, const PeerFacts *facts, Diagnostics *diag) {
    const PeerFacts *known[PEERS_MAX];
    for (int rank = 0; rank < peers_size(peers); rank++) {
        known[rank] = facts;
        if (rank == peers_rank(peers)) continue;
        memcpy(peers_out(peers, rank, sizeof *facts), facts, sizeof *facts);
        known[rank] = peers_in(peers, rank, sizeof *facts);
    }
    if (!peers_exchange(peers, 0, " before the first step")) return false;
    Diagnostics *dropped = peers_rank(peers) ? diag_new() : NULL;
    Comparison comparison = {peers, known, dropped ? dropped : diag};
    bool good = tell_failures(&comparison);
    for (int rank = 1; rank < peers_size(peers) && good; rank++)
        good = compare_with(&comparison, rank);
    diag_free(dropped);
    return good;
}
