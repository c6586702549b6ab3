/* Exchanges between the processes of a training. Every process gets a parcel from every other one
 * in each exchange. Its header says whether the sender has to stop, so all of them learn it at the
 * same point of the training. */
#include "runtime/peers/peers.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/peers/parcel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_SECONDS 0.25    /* between two looks at the clock */
#define MAX_SECONDS 1.0      /* that count between two looks: see watch */
#define HEAR_SECONDS 1.5     /* for the announcements of others */
enum { REPORT_SECONDS = 3 }; /* others give the process that reports a loss so long to save */
#define BUSY_TIMES 20        /* a process may take that many times as long as this one */
#define FORGETS 0.9          /* a long time counts less after each exchange */

enum { PEER_NAME = 128 };
typedef struct {
    Parcel out, in;
    char name[PEER_NAME]; /* "rank 2 (process 4711 on node3)" */
} Peer;

enum { NAMES_SHOWN = 3 };
typedef struct {
    int count;
    char text[(NAMES_SHOWN + 1) * PEER_NAME];
} MissingNames;

struct Peers {
    Transport *transport;
    PeerOptions options;
    Diagnostics *diag;
    Peer *others;      /* [size] */
    Message *messages; /* [message_room] */
    int message_room;
    uint64_t number;
    PeerTraffic sent;
    double longest; /* of the recent times between two exchanges, as given by `busy` */
    bool stops, asks, lost, failed;
    bool saves, asks_save;
    bool reports; /* this process reports which ones are lost: see must_report */
    int signal;
    Status announced; /* the status with which a lost process has ended; or STATUS_OK */
};

int peers_rank(const Peers *peers) { return peers->transport->rank; }
int peers_size(const Peers *peers) { return peers->transport->size; }
int peers_neighbours(const Peers *peers) { return peers->transport->neighbours; }
bool peers_lost(const Peers *peers) { return peers->lost; }
bool peers_stopped(const Peers *peers) { return peers->stops; }
Status peers_status(const Peers *peers) {
    return peers->announced ? peers->announced : STATUS_RANK;
}
void peers_announce(Peers *peers, Status status) { peers->announced = status; }
void peers_ask_save(Peers *peers) { peers->asks_save = true; }
bool peers_take_save(Peers *peers) {
    bool saves = peers->saves;
    peers->saves = peers->asks_save = false;
    return saves;
}
int peers_signal(const Peers *peers) { return peers->signal; }
void peers_ask_stop(Peers *peers) { peers->asks = true; }
void peers_fail(Peers *peers) { peers->failed = true; }

/* -- messages -- */

void *peers_out(Peers *peers, int rank, size_t bytes) {
    return parcel_open(&peers->others[rank].out, bytes);
}

void *peers_in(Peers *peers, int rank, size_t bytes) {
    return parcel_open(&peers->others[rank].in, bytes);
}

void peers_send(Peers *peers, int rank, const void *body, size_t bytes) {
    parcel_send(&peers->others[rank].out, body, bytes);
}

void peers_receive(Peers *peers, int rank, void *body, size_t bytes) {
    parcel_receive(&peers->others[rank].in, body, bytes);
}

const void *peers_content(const Peers *peers, int rank) {
    return parcel_content(&peers->others[rank].in);
}

const void *peers_body(const Peers *peers, int rank, int number) {
    return parcel_body(&peers->others[rank].in, number);
}

PeerTraffic peers_traffic(size_t content, size_t body, int bodies) {
    size_t apart = 0, message = parcel_predict(content, body, bodies, &apart);
    return (PeerTraffic){1 + (apart ? bodies : 0), (int64_t)(message + apart)};
}

PeerTraffic peers_sent(const Peers *peers) { return peers->sent; }

static void list_one(Peers *peers, int *count, Message message) {
    if (*count == peers->message_room) {
        peers->message_room = 2 * peers->message_room;
        peers->messages = memory_grow(peers->messages, (size_t)peers->message_room,
                                      sizeof *peers->messages, "the other processes");
    }
    peers->messages[(*count)++] = message;
    if (!message.sends) return;
    peers->sent.messages++;
    peers->sent.bytes += (int64_t)message.bytes;
}

/* Lists a parcel, and after it the bodies that are messages of their own. */
static void list_parcel(Peers *peers, int *count, Parcel *parcel, int rank, bool sends) {
    list_one(peers, count,
             (Message){.rank = rank,
                       .sends = sends,
                       .data = parcel->memory,
                       .bytes = parcel_message_bytes(parcel->bytes)});
    for (int i = 0; i < parcel->count; i++) {
        const ParcelBody *body = &parcel->bodies[i];
        if (body->apart)
            list_one(
                peers, count,
                (Message){.rank = rank, .sends = sends, .data = body->data, .bytes = body->bytes});
    }
}

/* Lists the messages to and from every other process; returns how many. */
static int list_messages(Peers *peers) {
    int count = 0;
    int signal = peers->options.signal ? (int)*peers->options.signal : 0;
    ParcelHeader header = {.magic = PARCEL_MAGIC,
                           .number = peers->number,
                           .stop = peers->asks || signal,
                           .signal = signal,
                           .save = peers->asks_save};
    peers->stops |= header.stop;
    peers->saves |= header.save;
    if (signal) peers->signal = signal;
    for (int rank = 0; rank < peers_size(peers); rank++) {
        Peer *peer = &peers->others[rank];
        if (rank == peers_rank(peers)) continue;
        header.bytes = peer->out.bytes;
        memcpy(peer->out.memory, &header, sizeof header);
        list_parcel(peers, &count, &peer->out, rank, true);
        list_parcel(peers, &count, &peer->in, rank, false);
    }
    return count;
}

/* Reads what the others say in their headers. */
static void read_headers(Peers *peers) {
    for (int rank = 0; rank < peers_size(peers); rank++) {
        ParcelHeader header;
        if (rank == peers_rank(peers)) continue;
        memcpy(&header, peers->others[rank].in.memory, sizeof header);
        if (header.magic != PARCEL_MAGIC || header.number != peers->number ||
            header.bytes != peers->others[rank].in.bytes)
            diag_bug("rank %d is at exchange %llu with %llu bytes, rank %d at %llu with %zu", rank,
                     (unsigned long long)header.number, (unsigned long long)header.bytes,
                     peers_rank(peers), (unsigned long long)peers->number,
                     peers->others[rank].in.bytes);
        peers->stops |= header.stop != 0;
        peers->saves |= header.save != 0;
        if (header.signal > peers->signal) peers->signal = header.signal;
        parcel_unpack(&peers->others[rank].in);
    }
}

/* -- processes that are lost -- */

/* Whether a process has ended without an announcement or, if `late`, does not answer. */
static bool is_missing(const Peers *peers, int rank, bool late, int count) {
    bool missing = false;
    for (int i = 0; i < count; i++) {
        const Message *message = &peers->messages[i];
        if (message->rank != rank) continue;
        if (message->broken && message->status) return false;
        missing |= message->broken || (late && !message->done);
    }
    return missing;
}

static void name_missing(const Peers *peers, bool late, int count, MissingNames *missing) {
    for (int rank = 0; rank < peers_size(peers); rank++) {
        size_t length = strlen(missing->text);
        if (rank == peers_rank(peers) || !is_missing(peers, rank, late, count)) continue;
        if (missing->count++ < NAMES_SHOWN)
            snprintf(missing->text + length, sizeof missing->text - length, "%s%s",
                     length ? ", " : "", peers->others[rank].name);
    }
    if (missing->count > NAMES_SHOWN) strcat(missing->text, ", ...");
}

/* All processes that are left know which ones are missing. The one with the lowest rank reports
 * it. */
static bool must_report(const Peers *peers, bool late, int count) {
    for (int rank = 0; rank < peers_rank(peers); rank++)
        if (!is_missing(peers, rank, late, count)) return false;
    return true;
}

/* Whether a process has announced that it failed by itself. It has printed the reason, so the
 * others end silently. */
static bool take_announcement(Peers *peers, int count) {
    for (int i = 0; i < count; i++) {
        const Message *message = &peers->messages[i];
        if (message->broken && message->status && message->status != STATUS_RANK)
            peers->announced = (Status)message->status;
    }
    return peers->announced != STATUS_OK;
}

/* Whether a process has ended without an announcement. */
static bool any_ended(const Peers *peers, int count) {
    for (int rank = 0; rank < peers_size(peers); rank++)
        if (rank != peers_rank(peers) && is_missing(peers, rank, false, count)) return true;
    return false;
}

/* Waits for the announcements of processes that themselves wait for the lost one. They do not
 * answer either, but are not missing. */
static void hear_others(const Peers *peers) {
    double end = seconds_now() + HEAR_SECONDS;
    while (seconds_now() < end && !peers->transport->wait(peers->transport, LOOK_SECONDS)) continue;
}

static void report_missing(const Peers *peers, const MissingNames *missing, double waited,
                           const char *where) {
    const char *have = missing->count > 1 ? "have" : "has";
    if (!missing->count)
        diag_error(peers->diag, STATUS_RANK, (Span){0}, "other processes have ended%s", where);
    else if (waited > 0)
        diag_error(peers->diag, STATUS_RANK, (Span){0},
                   "%s %s not answered for %.0f s%s: stopped, cut off, or too slow", missing->text,
                   have, waited, where);
    else
        diag_error(peers->diag, STATUS_RANK, (Span){0}, "%s %s ended without a word%s",
                   missing->text, have, where);
}

/* Ends all exchanges: a process is lost. One of those that are left reports which one. waited: the
 * seconds without an answer; others that have given up have waited for as long as they must. Returns
 * false. */
static bool lose(Peers *peers, int count, double waited, const char *where) {
    bool late = !any_ended(peers, count);
    peers->lost = true;
    peers->reports = !take_announcement(peers, count) && must_report(peers, late, count);
    if (!peers->reports) {
        peers->transport->announce(peers->transport, STATUS_RANK);
        return false;
    }
    if (late) hear_others(peers);
    late = !any_ended(peers, count);
    MissingNames missing = {0};
    name_missing(peers, late, count, &missing);
    report_missing(peers, &missing, late ? fmax(waited, peers->options.patience) : 0, where);
    return false;
}

static bool any_broken(const Peers *peers, int count) {
    for (int i = 0; i < count; i++)
        if (peers->messages[i].broken) return true;
    return false;
}

/* Waits for all messages, or until one is broken or nothing has come for `limit` seconds. Returns
 * the seconds. Time in which this process was stopped itself does not count: a scheduler may stop
 * and continue all processes of a job. */
static double watch(const Peers *peers, int count, double limit) {
    Transport *transport = peers->transport;
    double last = seconds_now(), waited = 0;
    while (!transport->wait(transport, LOOK_SECONDS) && !any_broken(peers, count) &&
           waited <= limit) {
        double now = seconds_now();
        waited += now - last < MAX_SECONDS ? now - last : MAX_SECONDS;
        last = now;
    }
    return waited;
}

bool peers_exchange(Peers *peers, double busy, const char *where) {
    if (peers->lost) return false;
    peers->number++;
    peers->longest = fmax(busy, FORGETS * peers->longest);
    double limit = peers->options.patience;
    if (limit < BUSY_TIMES * peers->longest) limit = BUSY_TIMES * peers->longest;
    int count = list_messages(peers);
    peers->transport->begin(peers->transport, peers->messages, count);
    double waited = watch(peers, count, limit);
    if (waited > limit || any_broken(peers, count)) return lose(peers, count, waited, where);
    read_headers(peers);
    return true;
}

/* -- the beginning and the end -- */

/* Every process sends its name to the others: its rank, its process number and its machine. */
static bool learn_names(Peers *peers) {
    char host[64] = "?";
    gethostname(host, sizeof host - 1);
    for (int rank = 0; rank < peers_size(peers); rank++) {
        Peer *peer = &peers->others[rank];
        snprintf(peer->name, sizeof peer->name, "rank %d", rank);
        if (rank == peers_rank(peers)) continue;
        char *own = peers_out(peers, rank, PEER_NAME);
        snprintf(own, PEER_NAME, "rank %d (process %ld on %s)", peers_rank(peers), (long)getpid(),
                 host);
        peers_in(peers, rank, PEER_NAME);
    }
    if (!peers_exchange(peers, 0, " at the start")) return false;
    for (int rank = 0; rank < peers_size(peers); rank++) {
        Peer *peer = &peers->others[rank];
        if (rank != peers_rank(peers))
            snprintf(peer->name, sizeof peer->name, "%.*s", PEER_NAME - 1,
                     (const char *)parcel_content(&peer->in));
    }
    return true;
}

Peers *peers_open(Transport *transport, const PeerOptions *options, Diagnostics *diag) {
    Peers *peers = MEMORY_NEW(Peers, "the other processes");
    size_t size = (size_t)transport->size;
    *peers = (Peers){.transport = transport, .options = *options, .diag = diag};
    peers->others = memory_array(size, sizeof *peers->others, "the other processes");
    peers->message_room = 2 * (int)size;
    peers->messages = memory_array(2 * size, sizeof *peers->messages, "the other processes");
    if (learn_names(peers)) return peers;
    peers_close(peers, STATUS_RANK);
    return NULL;
}

bool peers_part(Peers *peers, double seconds) {
    if (peers->lost || peers->failed) return true;
    for (int rank = 0; rank < peers_size(peers); rank++) {
        peers_out(peers, rank, 0);
        peers_in(peers, rank, 0);
    }
    return peers_exchange(peers, peers_rank(peers) ? seconds / BUSY_TIMES : 0, " at the end");
}

/* The process that reports about lost ones, and saves if it can, ends first: with some transports
 * the end of one is the end of all. */
void peers_close(Peers *peers, Status status) {
    if (!peers) return;
    if (peers->lost && !peers->reports && !peers->announced) sleep(REPORT_SECONDS);
    if (peers->failed || peers->lost) peers->transport->abort(peers->transport, (int)status);
    for (int rank = 0; rank < peers_size(peers); rank++) {
        parcel_free(&peers->others[rank].out);
        parcel_free(&peers->others[rank].in);
    }
    peers->transport->close(peers->transport);
    free(peers->others);
    free(peers->messages);
    free(peers);
}
