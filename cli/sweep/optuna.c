/* Runs the program `optuna`. Its output goes to files without a name, so that no pipe can be
 * full. */
#include "cli/sweep/optuna.h"
#include "cli/sweep/trial.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTUNA "optuna"
enum { ARGUMENTS_MAX = 16 };

extern char **environ;

/* All that was written into a file, with a NUL behind it. */
static char *text_of(int file) {
    struct stat status = {0};
    fstat(file, &status);
    char *text = memory_new((size_t)status.st_size + 1, "the answer of Optuna");
    ssize_t length = pread(file, text, (size_t)status.st_size, 0);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

/* The program has a process group of its own: Ctrl-C in a terminal is for mlc alone, which then
 * ends it. */
static int start(pid_t *child, const char *folder, const char *const *arguments, int out, int err) {
    const char *all[ARGUMENTS_MAX] = {OPTUNA};
    for (int i = 0; arguments[i] && i + 2 < ARGUMENTS_MAX; i++) all[i + 1] = arguments[i];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int error = posix_spawnp(child, OPTUNA, &actions, &attributes, (char *const *)all, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static bool ends_well(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        if (trial_stop) kill(child, SIGTERM);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void report_start(int error, const char *folder, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot run " OPTUNA " in '%s': %s", folder,
               strerror(error));
    diag_help(diag, "--optuna needs that program in the PATH: it comes with the Python package "
                    "optuna, or with Debian's python3-optuna");
}

/* Python's last line names the error. */
static void report_failure(const char *command, char *messages, Diagnostics *diag) {
    size_t length = strlen(messages);
    while (length && messages[length - 1] == '\n') messages[--length] = '\0';
    const char *line = strrchr(messages, '\n');
    diag_error(diag, STATUS_FILE, (Span){0}, OPTUNA " %s fails: %s", command,
               line ? line + 1 : messages);
}

char *optuna_run(const char *folder, const char *const *arguments, Diagnostics *diag) {
    int out = memfd_create("answer", MFD_CLOEXEC), err = memfd_create("messages", MFD_CLOEXEC);
    pid_t child;
    char *answer = NULL;
    int error = out < 0 || err < 0 ? errno : start(&child, folder, arguments, out, err);
    if (error) {
        report_start(error, folder, diag);
    } else if (ends_well(child)) {
        answer = text_of(out);
    } else if (!trial_stop) {
        char *messages = text_of(err);
        report_failure(arguments[0], messages, diag);
        free(messages);
    }
    if (out >= 0) close(out);
    if (err >= 0) close(err);
    return answer;
}
