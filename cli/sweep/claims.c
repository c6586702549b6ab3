/* Claims: see claims.h. */
#include "cli/sweep/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNER_TEXT = 512 };

typedef struct {
    char machine[OWNER_TEXT]; /* host, boot and process namespace */
    long process;
    unsigned long long started; /* in clock ticks since boot: process numbers are reused */
} Owner;

/* -- this machine and its processes -- */

static void read_line(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    text[0] = 0;
    if (file && fgets(text, (int)size, file)) text[strcspn(text, "\n")] = 0;
    if (file) fclose(file);
}

static void name_machine(char machine[OWNER_TEXT]) {
    char host[CLAIM_HOST] = "", boot[64], space[64] = "";
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (*c == ' ') *c = '_';
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0) space[0] = 0;
    snprintf(machine, OWNER_TEXT, "%s/%s/%s", host, boot, space);
}

/* When a process started: field 22 of /proc/PID/stat; 0: there is no such process. The name in
 * field 2 may have spaces. */
static unsigned long long start_of(long process) {
    char path[64], text[1024];
    enum { FIELDS_AFTER_NAME = 20 };
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    read_line(path, text, sizeof text);
    char *at = strrchr(text, ')');
    for (int i = 0; at && i < FIELDS_AFTER_NAME; i++) at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

/* -- files -- */

static bool write_owner(int file) {
    char text[OWNER_TEXT + 64];
    Owner owner = {.process = getpid()};
    name_machine(owner.machine);
    owner.started = start_of(owner.process);
    int length =
        snprintf(text, sizeof text, "%s %ld %llu\n", owner.machine, owner.process, owner.started);
    return write(file, text, (size_t)length) == length;
}

/* The text of a claim, and when it was touched by the clock of its file system. */
static bool read_claim(const char *path, char text[OWNER_TEXT], struct timespec *touched) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = file < 0 ? -1 : read(file, text, OWNER_TEXT - 1);
    bool good = length >= 0 && fstat(file, &status) == 0;
    text[length < 0 ? 0 : length] = 0;
    if (good) *touched = status.st_mtim;
    if (file >= 0) close(file);
    return good;
}

/* The time by the clock of the file system that holds `beside`: the clocks of machines may differ
 * by hours. */
static bool file_system_now(const char *beside, time_t *now) {
    char path[PATH_MAX + 32];
    struct stat status;
    snprintf(path, sizeof path, "%s.now-%ld", beside, (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool good = file >= 0 && write(file, "1", 1) == 1 && fstat(file, &status) == 0;
    if (good) *now = status.st_mtim.tv_sec;
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    return good;
}

/* false: the text is not whole. */
static bool read_owner(const char *text, Owner *owner) {
    return sscanf(text, "%511s %ld %llu", owner->machine, &owner->process, &owner->started) == 3;
}

static bool is_here(const Owner *owner) {
    char machine[OWNER_TEXT];
    name_machine(machine);
    return !strcmp(owner->machine, machine);
}

/* Whether the process of a claim has ended or left it (claims.h). A claim without a text belongs to
 * a process that is about to write it. */
static bool is_given_up(const char *path, const char *text, const struct timespec *touched) {
    Owner owner;
    time_t now;
    if (read_owner(text, &owner) && is_here(&owner))
        return start_of(owner.process) != owner.started;
    return file_system_now(path, &now) && now - touched->tv_sec > CLAIM_SECONDS;
}

/* Removes a claim that has been given up. Of several processes that try, one renames the file. If
 * another one has made a new claim in between, the new one was renamed: it is put back. */
static bool remove_given_up(const char *path) {
    char before[OWNER_TEXT], after[OWNER_TEXT], aside[PATH_MAX + 32];
    struct timespec touched, then;
    if (!read_claim(path, before, &touched) || !is_given_up(path, before, &touched)) return false;
    snprintf(aside, sizeof aside, "%s.old-%ld", path, (long)getpid());
    if (rename(path, aside) != 0) return false;
    bool same = read_claim(aside, after, &then) && !strcmp(before, after) &&
                touched.tv_sec == then.tv_sec && touched.tv_nsec == then.tv_nsec;
    if (!same && link(aside, path) != 0) same = false;
    unlink(aside);
    return same;
}

ClaimResult claim_take(const char *path) {
    for (int tries = 0; tries < 2; tries++) {
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0) {
            bool written = write_owner(file);
            int error = errno;
            if (close(file) == 0 && written) return CLAIM_TAKEN;
            unlink(path);
            errno = error;
            return CLAIM_FAILED;
        }
        if (errno != EEXIST) return CLAIM_FAILED;
        if (!remove_given_up(path)) return CLAIM_HELD;
    }
    return CLAIM_HELD;
}

bool claim_is_remote(const char *path, char host[CLAIM_HOST]) {
    char text[OWNER_TEXT];
    struct timespec touched;
    Owner owner;
    if (!read_claim(path, text, &touched) || !read_owner(text, &owner) || is_here(&owner))
        return false;
    snprintf(host, CLAIM_HOST, "%.*s", (int)strcspn(owner.machine, "/"), owner.machine);
    return true;
}

void claim_touch(const char *path) { utimensat(AT_FDCWD, path, NULL, 0); }
void claim_release(const char *path) { unlink(path); }
