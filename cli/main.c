/* mlc: finds the command in the table, runs it, and prints its errors. */
#include "cli/session/commands.h"
#include "cli/session/suggest.h"
#include "cli/show/help_pages.h"
#include "engine/session/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "ir/base/memory.h"
#include "ir/base/display.h"
#include "runtime/formats/map.h"

static Status (*const functions[COMMAND_COUNT])(const Options *given, Diagnostics *diag) = {
#define COMMAND(function, ...) command_##function,
#include "cli/session/commands.def"
};

static Status print_help(FILE *out) {
    fputs("mlc compiles and trains small neural networks that a text file describes.\n\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char usage[64];
        snprintf(usage, sizeof usage, "%s %s", command_rows[i].name, command_rows[i].operands);
        fprintf(out, "  mlc %-28s %s\n", usage, command_rows[i].help);
    }
    fputs("\n  mlc COMMAND --help               options of a command\n"
          "  mlc help [COMMAND] | --help      this page, or the options of a command\n"
          "  mlc help --man [COMMAND]         the manual page, for man -l\n"
          "  mlc help --completion SHELL      completion for bash, zsh or fish\n"
          "  mlc version | --version          the version\n\n"
          "Begin with: mlc train models/mnist.mdl\n",
          out);
    return STATUS_OK;
}

static Status print_command_help(const CommandRow *command) {
    printf("mlc %s %s [OPTIONS]\n  %s\n\n", command->name, command->operands, command->help);
    options_print(command->options, stdout);
    return STATUS_OK;
}

/* The command for a name that other programs use; NULL: none. */
static const char *command_elsewhere(const char *name) {
    static const struct {
        const char *name, *here;
    } others[] = {
#define COMMAND_MEANS(name, here) {name, here},
#define OPTION_MEANS(name, option)
#define OPTION_ALIAS(name, option, help)
#define MODEL_ALIAS(name)
#include "cli/session/aliases.def"
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i].name, name)) return others[i].here;
    return NULL;
}

/* Helps with an option in the place of the command. */
static void help_option(const char *name, const char *const names[COMMAND_COUNT],
                        Diagnostics *diag) {
    static const char *const options[] = {"--help", "--version"};
    const char *near = diag_nearest(name, options, 2),
               *command = diag_nearest(name + strspn(name, "-"), names, COMMAND_COUNT);
    if (!strcmp(name, "-v")) near = options[1];
    if (near)
        diag_help(diag, "did you mean 'mlc %s'?", near);
    else if (command)
        diag_help(diag, "did you mean 'mlc %s'?", command);
    else
        diag_help(
            diag,
            "the command comes first, options follow it: mlc train my.mdl; 'mlc --help' lists them");
}

static const CommandRow *command_find(const char *name, Diagnostics *diag) {
    const CommandRow *found = command_named(name);
    if (found) return found;
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++) names[i] = command_rows[i].name;
    diag_error(diag, STATUS_USAGE, (Span){0}, "there is no command '%s'", name);
    const char *near = diag_nearest(name, names, COMMAND_COUNT), *other = command_elsewhere(name);
    if (*name == '-')
        help_option(name, names, diag);
    else if (path_ends_in(name, ".mdl"))
        diag_help(
            diag,
            "'mlc train %.200s' trains the network of this file, 'mlc check %.200s' finds its errors",
            name, name);
    else if (other)
        diag_help(diag, "did you mean 'mlc %s'?", other);
    else if (near)
        diag_help(diag, "did you mean '%s'?", near);
    else
        diag_help(diag, "'mlc --help' lists the commands");
    return NULL;
}

static Status too_few(const CommandRow *command, Diagnostics *diag) {
    bool takes_run = !strncmp(command->operands, "RUN", 3);
    const char *what = takes_run                                    ? "the folder of a run"
                       : !strncmp(command->operands, "FILE.mdl", 8) ? "a model file"
                                                                    : "an argument";
    diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc %s' needs %s", command->name, what);
    diag_help(diag, "mlc %s %s", command->name, command->operands);
    if (takes_run)
        diag_help(diag,
                  "without RUN, the newest run in runs/ is used; 'mlc train FILE.mdl' makes one");
    return STATUS_USAGE;
}

static Status too_many(const CommandRow *command, const Options *options, Diagnostics *diag) {
    const char *operand = options->operands[command->max_operands];
    diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc %s' takes no argument '%.200s'%s",
               command->name, operand, command->max_operands ? " as well" : "");
    if (!suggest_operand(operand, options, command->options, diag))
        diag_help(diag, "mlc %s %s", command->name, command->operands);
    return STATUS_USAGE;
}

static Status run_command(const CommandRow *command, int argc, char **argv, Diagnostics *diag) {
    Options options;
    if (!options_parse(&options, command->name, command->options, argc, argv, diag))
        return STATUS_USAGE;
    if (options.help) return print_command_help(command);
    Path newest;
    if (options.operand_count == 0 && !strncmp(command->operands, "RUN", 3) &&
        run_newest("runs", &newest)) {
        static char *operand[] = {NULL, NULL};
        operand[0] = newest.path;
        options.operands = operand;
        options.operand_count = 1;
        fputs("mlc: ", stderr);
        display_text(newest.path, stderr);
        fputs(", the newest run\n", stderr);
    }
    if (options.operand_count < command->min_operands) return too_few(command, diag);
    if (options.operand_count > command->max_operands) return too_many(command, &options, diag);
    /* docs/numerics.md promises the same bits in every run, except with OpenBLAS. */
    if (options.gemm == CHOICE_gemm_openblas)
        fputs(
            "mlc: --gemm=openblas is outside the numerics contract: OpenBLAS rounds in an order of its own\n",
            stderr);
    return functions[command - command_rows](&options, diag);
}

/* mlc help [COMMAND] | --man [COMMAND] | --completion SHELL */
static Status command_help(int argc, char **argv, Diagnostics *diag) {
    const char *topic = argc > 2 ? argv[2] : NULL, *name = argc > 3 ? argv[3] : NULL;
    if (!topic) return print_help(stdout);
    if (!strcmp(topic, "--man"))
        return (!name || command_find(name, diag)) && help_print_man(name, stdout) ? STATUS_OK
                                                                                   : STATUS_USAGE;
    if (strcmp(topic, "--completion") != 0) {
        const CommandRow *about = command_find(topic, diag);
        return about ? print_command_help(about) : STATUS_USAGE;
    }
    if (name && help_print_completion(name, stdout)) return STATUS_OK;
    if (name)
        diag_error(diag, STATUS_USAGE, (Span){0}, "there is no completion for '%.200s'", name);
    else
        diag_error(diag, STATUS_USAGE, (Span){0}, "--completion needs the name of a shell");
    diag_help(diag, "the shells are bash, zsh and fish");
    return STATUS_USAGE;
}

static Status dispatch(int argc, char **argv, Diagnostics *diag) {
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return print_help(stdout);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0 ||
        strcmp(argv[1], "version") == 0) {
        printf("mlc %s (%s)\n", MLC_VERSION, codegen_version());
        return STATUS_OK;
    }
    if (strcmp(argv[1], "help") == 0) return command_help(argc, argv, diag);
    const CommandRow *command = command_find(argv[1], diag);
    return command ? run_command(command, argc - 1, argv + 1, diag) : STATUS_USAGE;
}

/* If a write to stdout failed earlier, errno has been lost since. Writing one more byte, which
 * cannot harm a truncated answer, finds the reason. */
static void check_stdout(Diagnostics *diag) {
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed) return;
    bool known = !failed || write(STDOUT_FILENO, "\n", 1) < 0;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write the answer to stdout: %s",
               known ? strerror(errno) : "a part of it is missing");
}

/* SIGBUS: a mapped data file was truncated, or its disk fails. No step can continue, but the last
 * checkpoint is complete. Several threads may fault at once: one of them prints the error and ends
 * the process, the others wait. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    static const char before[] = "mlc: error: '",
                      after[] =
                          "' was cut short, or cannot be read any more, while it was in use\n";
    static atomic_flag reported = ATOMIC_FLAG_INIT;
    const char *path = data_file_at(info->si_addr);
    if (!path) { /* another fault: the repeated instruction ends the process */
        signal(number, SIG_DFL);
        return;
    }
    while (atomic_flag_test_and_set(&reported)) pause();
    bool written = write(STDERR_FILENO, before, sizeof before - 1) > 0 &&
                   write(STDERR_FILENO, path, strlen(path)) > 0 &&
                   write(STDERR_FILENO, after, sizeof after - 1) > 0;
    _exit(written ? STATUS_DATA : STATUS_FILE);
}

/* If a standard stream is closed, the next opened file would get its number, and messages would be
 * written into that file. So a closed stream is replaced by /dev/null, opened such that reading
 * stdin and writing stdout or stderr still fail. */
static void occupy_standard_streams(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
        if (fcntl(number, F_GETFD) < 0 &&
            open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) != number)
            return;
}

/* LLVM's constructors allocate memory, so they must run after this one. */
__attribute__((constructor(101))) static void before_libraries(void) { codegen_begin(); }

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, ""); /* tells whether the terminal uses UTF-8 */
    occupy_standard_streams();
    struct sigaction action = {.sa_sigaction = on_bus_error,
                               .sa_flags = (int)(SA_NODEFER | SA_SIGINFO)};
    sigaction(SIGBUS, &action, NULL);
    json_set_alloc_funcs(memory_library_malloc, memory_library_free);
    /* writing beyond `ulimit -f` then fails with an error instead of a signal */
    signal(SIGXFSZ, SIG_IGN);
    Diagnostics *diag = diag_new();
    Status status = dispatch(argc, argv, diag);
    check_stdout(diag);
    diag_print(diag, stderr);
    if (status == STATUS_OK) status = diag_status(diag);
    diag_free(diag);
    return (int)status;
}
