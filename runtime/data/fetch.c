/* `mlc data get`: downloads the files of a named data set from its mirrors or another place. A file
 * is accepted only if the SHA-256 of its uncompressed contents is right, whatever its origin. */
#include "runtime/data/fetch.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"
#include "runtime/data/curl.h"
#include "runtime/data/sources.h"
#include "runtime/formats/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MIRRORS = 2,
    HASH_TEXT = 2 * SHA256_DIGEST_SIZE + 1,
    PATH_BYTES = 4096,
    BLOCK = 1 << 16,
    SLOW_SECONDS = 30
};

/* The mirrors of the named sets, and SHA-256 sums: `zcat FILE.gz | sha256sum`. */
typedef struct {
    const char *name, *mirrors[MIRRORS], *hashes[FILE_COUNT];
    /* the name of the file at the mirrors, for a table; NULL: the set is four IDX files, compressed
     * with gzip */
    const char *table;
} DownloadSite;
static const DownloadSite origins[] = {
    {"mnist",
     {"https://ossci-datasets.s3.amazonaws.com/mnist",
      "https://storage.googleapis.com/cvdf-datasets/mnist"},
     {[FILE_TRAIN_IMAGES] = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      [FILE_TRAIN_LABELS] = "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      [FILE_TEST_IMAGES] = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      [FILE_TEST_LABELS] = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
     NULL},
    {"fashion_mnist",
     {"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
     {[FILE_TRAIN_IMAGES] = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      [FILE_TRAIN_LABELS] = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      [FILE_TEST_IMAGES] = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      [FILE_TEST_LABELS] = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
     NULL},
    {"california_housing",
     {"https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/housing",
      "https://raw.githubusercontent.com/ageron/handson-ml2/aa555aa16b9d0af6c84e67c7757f3317d05acb12/datasets/housing"},
     {"8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e"},
     "housing.csv"},
};
enum { ORIGINS = sizeof origins / sizeof *origins };

/* The download of one file. */
typedef struct {
    Arena *arena;
    Diagnostics *diag;
    const Curl *curl;
    CURL *transfer;
    bool quiet;
    const char *set, *folder, *hash;
    const char *file;   /* its usual name, without .gz */
    const char *remote; /* its name at the origin */
    const char *reason; /* why the last attempt failed */
} Download;

/* -- checksums -- */

/* The SHA-256 of the uncompressed contents of a file; false if it is unreadable. */
static bool hash_contents(const char *path, char text[HASH_TEXT], Problem *problem) {
    Unpacker *unpacker = unpack_open(path, problem);
    struct sha256_ctx hasher;
    uint8_t block[BLOCK], hash[SHA256_DIGEST_SIZE];
    int64_t got = 1;
    if (!unpacker) return false;
    sha256_init(&hasher);
    while (got > 0) {
        got = unpack_read(unpacker, block, sizeof block, problem);
        if (got > 0) sha256_update(&hasher, (size_t)got, block);
    }
    unpack_close(unpacker);
    sha256_digest(&hasher, sizeof hash, hash);
    for (size_t i = 0; i < sizeof hash; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return got == 0;
}

static bool check_contents(Download *fetch, const char *path) {
    char found[HASH_TEXT];
    Problem problem;
    if (!hash_contents(path, found, &problem)) {
        fetch->reason = arena_format(fetch->arena, "%s", problem.finding);
        return false;
    }
    if (!strcmp(found, fetch->hash)) return true;
    fetch->reason =
        arena_format(fetch->arena, "its contents are wrong (SHA-256 %.16s..., expected %.16s...)",
                     found, fetch->hash);
    return false;
}

/* -- progress: one line per file, redrawn on a terminal only -- */

static int show_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t up_total,
                         curl_off_t up_done) {
    const Download *fetch = context;
    (void)up_total, (void)up_done;
    if (total > 0)
        fprintf(stderr, "\r%s/%s %3d%%", fetch->set, fetch->file, (int)(100 * done / total));
    return 0;
}

/* -- one attempt -- */

/* The URL of the file at a place: an address with ://, or a local folder. */
static CURLU *make_url(Download *fetch, const char *from, const char *suffix) {
    bool remote = strstr(from, "://") != NULL;
    char *place = arena_format(fetch->arena, "%s/%s%s", from, fetch->remote, suffix),
         *path = remote ? NULL : realpath(place, NULL);
    if (!remote && !path) {
        fetch->reason = strerror(errno);
        return NULL;
    }
    CURLU *url = fetch->curl->url();
    if (!remote) fetch->curl->url_set(url, CURLUPART_SCHEME, "file", 0);
    CURLUcode code = remote ? fetch->curl->url_set(url, CURLUPART_URL, place, 0)
                            : fetch->curl->url_set(url, CURLUPART_PATH, path, CURLU_URLENCODE);
    free(path);
    if (code == CURLUE_OK) return url;
    fetch->reason = fetch->curl->url_strerror(code);
    fetch->curl->url_cleanup(url);
    return NULL;
}

static CURLcode transfer(Download *fetch, CURLU *url, FILE *out, char error[CURL_ERROR_SIZE]) {
    const Curl *curl = fetch->curl;
    CURL *handle = fetch->transfer;
    bool moving = !fetch->quiet && isatty(STDERR_FILENO);
    *error = '\0';
    curl->easy_reset(handle);
    curl->easy_setopt(handle, CURLOPT_CURLU, url);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, out);
    curl->easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
    curl->easy_setopt(handle, CURLOPT_USERAGENT, "mlc/" MLC_VERSION);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl->easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)SLOW_SECONDS);
    curl->easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1000L);
    curl->easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl->easy_setopt(handle, CURLOPT_NOPROGRESS, moving ? 0L : 1L);
    curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl->easy_setopt(handle, CURLOPT_XFERINFODATA, fetch);
    return curl->easy_perform(handle);
}

static bool cannot_write(Download *fetch, const char *path) {
    diag_error(fetch->diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path,
               file_reason(errno));
    return false;
}

/* Downloads into the file. false after setting fetch->reason; a failure to write is reported as an
 * error instead. */
static bool download(Download *fetch, CURLU *url, const Replacement *to) {
    char error[CURL_ERROR_SIZE];
    int copy = dup(to->file); /* fclose will close it; the file itself stays open */
    FILE *out = copy < 0 ? NULL : fdopen(copy, "wb");
    if (!out && copy >= 0) close(copy);
    if (!out) return cannot_write(fetch, to->path);
    CURLcode code = transfer(fetch, url, out, error);
    bool unwritten = ferror(out) != 0;
    if (fclose(out) != 0 || unwritten) return cannot_write(fetch, to->path);
    if (code != CURLE_OK)
        fetch->reason =
            arena_format(fetch->arena, "%s", *error ? error : fetch->curl->easy_strerror(code));
    return code == CURLE_OK;
}

static const char *path_in_folder(Download *fetch, const char *suffix) {
    return arena_format(fetch->arena, "%s/%s%s", fetch->folder, fetch->file, suffix);
}

/* The path never holds a partial or wrong file. */
static bool attempt(Download *fetch, const char *from, const char *suffix) {
    const char *path = path_in_folder(fetch, suffix);
    Replacement part;
    CURLU *url = make_url(fetch, from, suffix);
    if (!url) return false;
    bool begun = replacement_begin(&part, path) || cannot_write(fetch, path);
    bool good = begun && download(fetch, url, &part) && check_contents(fetch, part.temporary);
    bool ended = begun && replacement_end(&part, good);
    fetch->curl->url_cleanup(url);
    return ended || (good && cannot_write(fetch, path));
}

/* -- one file -- */

static const char *const suffixes[] = {".gz", ""};
enum { SUFFIXES = 2 };

/* Tries one place; adds a failure to the reasons. */
static bool fetch_from(Download *fetch, const char *place, FetchForm form, const char **reasons,
                       int *count) {
    size_t before = diag_errors(fetch->diag);
    for (int i = form == FETCH_PLAIN; i < (form == FETCH_PACKED ? 1 : SUFFIXES); i++) {
        if (attempt(fetch, place, suffixes[i])) {
            /* a plain file with wrong contents, which readers would prefer */
            if (i == 0) unlink(path_in_folder(fetch, ""));
            return true;
        }
        if (diag_errors(fetch->diag) > before) return false;
        reasons[(*count)++] = arena_format(fetch->arena, "%s/%s%s: %s", place, fetch->remote,
                                           suffixes[i], fetch->reason);
    }
    return false;
}

static bool report_failure(Download *fetch, const char *const *reasons, int count) {
    diag_error(fetch->diag, STATUS_DATA, (Span){0}, "cannot get '%s' of %s", fetch->file,
               fetch->set);
    for (int i = 0; i < count; i++) diag_note(fetch->diag, (Span){0}, "%s", reasons[i]);
    diag_help(fetch->diag,
              "without a network, copy '%s' from another machine: mlc data get %s --from FOLDER",
              fetch->file, fetch->set);
    return false;
}

static bool fetch_file(Download *fetch, const FetchPlaces *places) {
    const char **reasons = ARENA_ARRAY(fetch->arena, const char *, places->count *SUFFIXES);
    size_t before = diag_errors(fetch->diag);
    int count = 0;
    /* a plain file is checked first, because readers prefer it */
    const char *plain = path_in_folder(fetch, ""), *packed = path_in_folder(fetch, ".gz");
    bool there = check_contents(fetch, access(plain, F_OK) ? packed : plain), good = there;
    for (int i = 0; i < places->count && !good && diag_errors(fetch->diag) == before; i++)
        good = fetch_from(fetch, places->places[i], places->form, reasons, &count);
    if (good) {
        const char *what = there ? "already there" : "done";
        if (!fetch->quiet)
            fprintf(stderr, "%s%s/%s: %s\n", isatty(STDERR_FILENO) ? "\r" : "", fetch->set,
                    fetch->file, what);
    }
    return good || (diag_errors(fetch->diag) == before && report_failure(fetch, reasons, count));
}

/* Makes the folder and its parents, and removes temporary files of killed processes. */
static bool make_folder(Download *fetch) {
    char *path = arena_copy_string(fetch->arena, fetch->folder, strlen(fetch->folder));
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777); /* only the last failure matters */
        *slash = '/';
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return cannot_write(fetch, path);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return cannot_write(fetch, path);
    temporaries_sweep(folder);
    close(folder);
    return true;
}

static const DownloadSite *find_origin(const char *name, Diagnostics *diag) {
    uint32_t count;
    const char *const *names = data_names(&count), *near = diag_nearest(name, names, count);
    for (int i = 0; i < ORIGINS; i++)
        if (!strcmp(origins[i].name, name)) return &origins[i];
    diag_error(diag, STATUS_USAGE, (Span){0}, "there is no data set '%s'", name);
    if (near)
        diag_help(diag, "did you mean '%s'?", near);
    else
        diag_help(diag, "'mlc data list' lists them");
    return NULL;
}

static bool fetch_files(Download *fetch, const DownloadSite *origin, const FetchPlaces *places) {
    int count = origin->table ? 1 : FILE_COUNT;
    bool good = make_folder(fetch);
    for (int i = 0; i < count && good; i++) {
        if (!origin->hashes[i]) continue;
        fetch->file = origin->table ? arena_format(fetch->arena, "%s" TABLE_ENDING, origin->name)
                                    : named_file((FileRole)i);
        fetch->remote = origin->table && places->mirrors ? origin->table : fetch->file;
        fetch->hash = origin->hashes[i];
        good = fetch_file(fetch, places);
    }
    return good;
}

static bool fetch_set(const DownloadSite *origin, const FetchPlaces *places, bool quiet,
                      Diagnostics *diag) {
    const Curl *curl = curl_open(diag);
    char folder[PATH_BYTES];
    if (!curl) return false;
    Download fetch = {.arena = arena_new(), .diag = diag, .quiet = quiet, .set = origin->name};
    fetch.folder = data_folder(origin->name, folder, sizeof folder);
    fetch.curl = curl;
    curl->global_init(CURL_GLOBAL_DEFAULT);
    fetch.transfer = curl->easy_init();
    if (!fetch.transfer) memory_exhausted(0, "a download");
    bool good = fetch_files(&fetch, origin, places);
    curl->easy_cleanup(fetch.transfer);
    curl->global_cleanup();
    arena_free(fetch.arena);
    return good;
}

bool fetch_from_places(const char *name, const FetchPlaces *places, bool quiet, Diagnostics *diag) {
    const DownloadSite *origin = find_origin(name, diag);
    return origin && fetch_set(origin, places, quiet, diag);
}

bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag) {
    const DownloadSite *origin = find_origin(name, diag);
    if (!origin) return false;
    FetchPlaces given = {.places = &from, .count = 1};
    FetchPlaces mirrors = {origin->mirrors, MIRRORS, origin->table ? FETCH_PLAIN : FETCH_PACKED,
                           true};
    return fetch_set(origin, from ? &given : &mirrors, quiet, diag);
}
