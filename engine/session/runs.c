/* The folder of a run. */
#include "engine/session/runs.h"
#include "ir/base/files.h"
#include "ir/base/number_text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool folder_is_empty(const char *path) {
    DIR *folder = opendir(path);
    int entries = 0;
    for (const char *name; folder && (name = folder_next(folder));) {
        /* a training that was killed before it had written its model leaves such files */
        bool leftover = !strcmp(name, RUN_METRICS) || path_ends_in(name, ".tmp");
        entries += !leftover && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    }
    bool whole = folder && !errno;
    if (folder) closedir(folder);
    return whole && entries == 0;
}

static bool report_unmade(const char *path, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s", path,
               strerror(errno));
    diag_help(diag, "--out DIR puts the run into another folder");
    return false;
}

static void make_parents(const char *path) {
    char parent[PATH_MAX];
    for (const char *slash = *path ? strchr(path + 1, '/') : NULL; slash;
         slash = strchr(slash + 1, '/')) {
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
        mkdir(parent, 0777); /* a failure here shows when `path` itself is made */
    }
}

static bool report_taken(const char *out, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s' exists and is not an empty folder", out);
    if (file_is_there(path_join(out, RUN_MODEL).path))
        diag_help(diag, "to continue the run in it: mlc train --resume %s", out);
    else
        diag_help(diag, "name another folder, or omit --out");
    return false;
}

bool folder_is_free(const char *path) {
    make_parents(path);
    return !file_is_there(path) || folder_is_empty(path);
}

bool run_can_create(const char *out, Diagnostics *diag) {
    return folder_is_free(out) || report_taken(out, diag);
}

static int64_t highest_number(const char *path) {
    int64_t highest = 0, number;
    DIR *folder = opendir(path);
    for (const char *name; folder && (name = folder_next(folder));)
        if (parse_number(name, 1, INT32_MAX, &number) && number > highest) highest = number;
    if (folder) closedir(folder);
    return highest;
}

bool run_newest(const char *folder, Path *newest) {
    int64_t highest = 0, number;
    DIR *runs = opendir(folder);
    for (const char *name; runs && (name = folder_next(runs));) {
        if (!parse_number(name, 1, INT32_MAX, &number) || number <= highest) continue;
        Path run = path_join(folder, name);
        if (!file_is_there(path_join(run.path, RUN_MODEL).path)) continue;
        highest = number;
        *newest = run;
    }
    if (runs) closedir(runs);
    return highest > 0;
}

bool run_create(const char *out, Path *folder, Diagnostics *diag) {
    if (out) {
        snprintf(folder->path, sizeof folder->path, "%s", out);
        make_parents(out);
        if (mkdir(out, 0777) == 0) return true;
        if (errno != EEXIST) return report_unmade(out, diag);
        return folder_is_empty(out) || report_taken(out, diag);
    }
    if (mkdir("runs", 0777) != 0 && errno != EEXIST) return report_unmade("runs", diag);
    for (int64_t number = highest_number("runs") + 1;; number++) {
        snprintf(folder->path, sizeof folder->path, "runs/%lld", (long long)number);
        if (mkdir(folder->path, 0777) == 0) return true;
        if (errno != EEXIST) return report_unmade(folder->path, diag);
    }
}

static void help_newest(const char *folder, const char *newest, Diagnostics *diag) {
    if (file_is_there(folder) && !path_is_folder(folder))
        diag_help(diag, "the run comes before files: %s %s", newest, folder);
    else
        diag_help(diag, "the newest run is %s", newest);
}

/* Suggests the run that was meant: one in this folder, or the one of this number in runs/. */
static void help_find_run(const char *folder, Diagnostics *diag) {
    Path newest, numbered = path_join("runs", folder);
    if (run_newest(folder, &newest))
        diag_help(diag, "it holds runs; the newest is %s", newest.path);
    else if (file_is_there(path_join(numbered.path, RUN_MODEL).path))
        diag_help(diag, "did you mean %s?", numbered.path);
    else if (path_ends_in(folder, ".safetensors") && file_is_there(folder))
        diag_help(diag,
                  "give the folder of the run, '%s'; --checkpoint best chooses the other file",
                  path_folder(folder).path);
    else if (path_ends_in(folder, ".mdl"))
        diag_help(diag, "'mlc train %s' trains it, and prints the name of the run", folder);
    else if (run_newest("runs", &newest))
        help_newest(folder, newest.path, diag);
    else
        diag_help(diag, "'mlc train FILE.mdl' makes one and prints its name");
}

/* False: another training holds the lock. Commands that list runs hold it for microseconds, to see
 * whether one does, so the lock is tried several times. On a file system without locks it is
 * true. */
static bool take_lock(int folder) {
    enum { TRIES = 5 };
    for (int i = 0; i < TRIES; i++) {
        if (flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

int run_lock(const char *folder, Diagnostics *diag) {
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0 && take_lock(lock)) {
        temporaries_sweep(lock);
        return lock;
    }
    if (lock < 0) {
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot open the folder '%s': %s", folder,
                   strerror(errno));
        help_find_run(folder, diag);
        return -1;
    }
    close(lock);
    diag_error(diag, STATUS_FILE, (Span){0}, "another training is writing into the folder '%s'",
               folder);
    diag_help(diag, "wait for its end, or stop it: Ctrl-C saves");
    return -1;
}

void run_wait(const char *folder, int seconds) {
    enum { TRIES = 20 }; /* tries of take_lock, within a second */
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; lock >= 0 && i < seconds * TRIES && !take_lock(lock);) i++;
    if (lock >= 0) close(lock);
}

/* The folder of the model file that the run was started from: relative data paths start there. The
 * start line in metrics.jsonl names it; without that line it is the folder of the run. False after
 * reporting an unreadable file: a wrong folder could hold other data. */
static bool source_folder(const char *folder, Path *source, Diagnostics *diag) {
    Path path = path_join(folder, RUN_METRICS);
    size_t length = 0;
    *source = path_join(folder, "");
    if (!file_is_there(path.path)) return true;
    char *lines = file_read(path.path, &length, STATUS_FILE, diag);
    if (!lines) return false;
    json_t *line = json_loadb(lines, length, JSON_DISABLE_EOF_CHECK, NULL);
    const char *text = json_string_value(json_object_get(line, "folder"));
    if (text) *source = path_join(text, "");
    json_decref(line);
    free(lines);
    return true;
}

bool run_open_model(Build *build, const char *folder, const SourceSchema *like,
                    const BuildOptions *options, Diagnostics *diag) {
    Path model = path_join(folder, RUN_MODEL);
    *build = (Build){0};
    if (!file_is_there(model.path)) {
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is not the folder of a run: it has no %s",
                   folder, RUN_MODEL);
        help_find_run(folder, diag);
        return false;
    }
    Path source;
    return source_folder(folder, &source, diag) &&
           build_load(build, model.path, source.path, like, options, diag);
}

bool run_write_model(const Build *build, const char *folder) {
    const char *text = build->info->resolved;
    return file_write(path_join(folder, RUN_MODEL).path, text, strlen(text), build->diag);
}
