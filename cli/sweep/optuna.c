/* Runs the program `optuna`. Its output goes to files without a name, so that no pipe can be
 * full. */
#include "cli/sweep/optuna.h"
#include "cli/sweep/trial.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTUNA "optuna"
enum { ARGUMENTS_MAX = 16 };

/* All that was written into a file, with a NUL behind it. */
static char *text_of(int file) {
    struct stat status = {0};
    fstat(file, &status);
    char *text = memory_new((size_t)status.st_size + 1, "the answer of Optuna");
    ssize_t length = pread(file, text, (size_t)status.st_size, 0);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

/* In the new process: becomes the program, or writes the error into `failure`. It has a process group
 * of its own: Ctrl-C in a terminal is for mlc alone, which then ends it. It does not outlive mlc. */
static void become(pid_t parent, const char *folder, const char *const *all, int out, int err,
                   int failure) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    setpgid(0, 0);
    if (chdir(folder) == 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
        execvp(OPTUNA, (char *const *)all);
    int error = errno;
    _exit(write(failure, &error, sizeof error) == sizeof error);
}

/* Returns an errno, or 0. */
static int start(pid_t *child, const char *folder, const char *const *arguments, int out, int err) {
    const char *all[ARGUMENTS_MAX] = {OPTUNA};
    for (int i = 0; arguments[i] && i + 2 < ARGUMENTS_MAX; i++) all[i + 1] = arguments[i];
    int failure[2], error = 0;
    if (pipe2(failure, O_CLOEXEC) < 0) return errno;
    pid_t parent = getpid();
    *child = fork();
    if (*child == 0) become(parent, folder, all, out, err, failure[1]);
    if (*child < 0) error = errno;
    close(failure[1]);
    while (*child > 0 && read(failure[0], &error, sizeof error) < 0 && errno == EINTR) continue;
    close(failure[0]);
    if (*child > 0 && error) waitpid(*child, NULL, 0);
    return error;
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

char *optuna_run(const char *folder, const char *const *arguments, const char *claim,
                 Diagnostics *diag) {
    int out = memfd_create("answer", MFD_CLOEXEC), err = memfd_create("messages", MFD_CLOEXEC);
    pid_t child = -1;
    char *answer = NULL;
    int error = out < 0 || err < 0 ? errno : start(&child, folder, arguments, out, err);
    if (error) {
        report_start(error, folder, diag);
    } else if (trial_wait(child, claim) == 0) {
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
