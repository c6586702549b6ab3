/* Manual pages, in the macros of man(7). */
#include "cli/show/help_pages.h"
#include "cli/session/commands.h"

#include <string.h>

/* Prints text in which '-' and '\' have no meaning for roff. A line must not begin with a dot. */
static void print_text(const char *text, FILE *out) {
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') fputc('\\', out);
        fputs(*text == '\\' ? "e" : (char[]){*text, 0}, out);
    }
}

static void print_head(const char *name, const char *help, FILE *out) {
    fputs(".TH ", out);
    print_text(name, out);
    fprintf(out, " 1 \"\" \"mlc %s\" \"mlc\"\n.SH NAME\n", MLC_VERSION);
    print_text(name, out);
    fputs(" \\- ", out);
    print_text(help, out);
    fputs("\n.SH SYNOPSIS\n", out);
}

static void print_option(const OptionRow *option, FILE *out) {
    fputs(".TP\n.B ", out);
    char spelling[OPTION_SPELLING];
    print_text(option_spelling(option, spelling), out);
    if (*option->argument) {
        fputs(" \\fI", out);
        print_text(option->argument, out);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    print_text(option->help, out);
    fputs(option->kind == KIND_LIST ? "; may be given several times.\n" : ".\n", out);
}

static void print_command_page(const CommandRow *command, FILE *out) {
    char name[OPTION_SPELLING];
    snprintf(name, sizeof name, "mlc-%s", command->name);
    print_head(name, command->help, out);
    fprintf(out, ".B mlc %s\n", command->name);
    print_text(command->operands, out);
    fputs("\n.RI [ OPTION ...]\n.SH OPTIONS\n", out);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (option_in(command->options, i)) print_option(&option_rows[i], out);
    fputs(".SH SEE ALSO\n.BR mlc (1)\n", out);
}

static void print_item(const char *term, const char *text, FILE *out) {
    fprintf(out, ".TP\n.B ");
    print_text(term, out);
    fputc('\n', out);
    print_text(text, out);
    fputc('\n', out);
}

static void print_main_page(FILE *out) {
    static const char *const statuses[][2] = {
        {"0", "success"},
        {"1", "a bug in mlc"},
        {"2", "a wrong command line"},
        {"3", "an error in a model or IR file"},
        {"4", "an error in the data"},
        {"5", "an error with another file or a checkpoint, or no memory"},
        {"6", "a loss, a weight or an answer is not finite"},
        {"7", "a value that --expect names was not reached"},
        {"8", "another process of the training has ended, does not answer, or differs"},
        {"129, 130, 143", "stopped by SIGHUP, SIGINT or SIGTERM, after saving"},
    };
    static const char *const variables[][2] = {
        {"MLC_DATA", "the folder of the data sets, instead of one in the cache"},
        {"XDG_CACHE_HOME", "the folder that holds mlc's cache of compiled code and data sets"},
        {"NO_COLOR", "if set, no colours are printed"},
    };
    print_head("mlc", "compiles and trains small neural networks that a text file describes", out);
    fputs(".B mlc\n.I COMMAND\n.RI [ ARGUMENT ...]\n.SH COMMANDS\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const CommandRow *command = &command_rows[i];
        fprintf(out, ".TP\n.BR mlc\\-");
        print_text(command->name, out);
        fputs(" (1)\n", out);
        print_text(command->help, out);
        fputc('\n', out);
    }
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        print_item(statuses[i][0], statuses[i][1], out);
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        print_item(variables[i][0], variables[i][1], out);
    fputs(".SH EXAMPLES\n.EX\nmlc train mnist.mdl\nmlc predict runs/1 photo.png\n.EE\n", out);
}

bool help_print_man(const char *command, FILE *out) {
    if (!command) {
        print_main_page(out);
        return true;
    }
    const CommandRow *found = command_named(command);
    if (found) print_command_page(found, out);
    return found != NULL;
}
