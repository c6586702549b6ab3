/* Completions for shells: after `mlc` the commands, after a command its options and files, after an
 * option its choices. */
#include "cli/show/help_pages.h"
#include "cli/session/commands.h"

#include <string.h>

/* The words that an operand or an argument stands for. */
typedef enum { WORDS_ANY, WORDS_MODEL, WORDS_FOLDER, WORDS_FILE } Words;

static Words words_of(const char *text) {
    if (!strncmp(text, "FILE.mdl", 8)) return WORDS_MODEL;
    if (strstr(text, "FILE")) return WORDS_FILE;
    return strncmp(text, "RUN", 3) && strncmp(text, "DIR", 3) ? WORDS_ANY : WORDS_FOLDER;
}

/* Files are completed also if more operands follow: mlc predict RUN FILE. */
static Words operand_words(const CommandRow *command) {
    bool more = strstr(command->operands, "...") || strchr(command->operands, '|');
    return more ? WORDS_FILE : words_of(command->operands);
}

static void print_commands(const char *between, FILE *out) {
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i ? between : "", command_rows[i].name);
}

static void print_choices(const char *choices, FILE *out) {
    for (; *choices; choices++) fputc(*choices == '|' ? ' ' : *choices, out);
}

/* -- bash -- */

static const char *const bash_words[] = {
    [WORDS_ANY] = "",
    [WORDS_MODEL] = "compgen -f -X '!*.mdl' -- \"$cur\"; compgen -d -- \"$cur\"",
    [WORDS_FOLDER] = "compgen -d -- \"$cur\"",
    [WORDS_FILE] = "compgen -f -- \"$cur\""};

/* One line for each option with an argument: which words may follow it. */
static void print_bash_arguments(const CommandRow *command, FILE *out) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        const OptionRow *option = &option_rows[i];
        char spelling[OPTION_SPELLING];
        if (!*option->argument || !option_in(command->options, i)) continue;
        fprintf(out, "    '%s %s') ", command->name, option_spelling(option, spelling));
        if (option->kind == KIND_CHOICE) {
            fputs("compgen -W '", out);
            print_choices(option->argument, out);
            fputs("' -- \"$cur\"", out);
        } else {
            const char *words = bash_words[words_of(option->argument)];
            fputs(*words ? words : ":", out);
        }
        fputs("; return ;;\n", out);
    }
}

static void print_bash_commands(FILE *out) {
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const CommandRow *command = &command_rows[i];
        fprintf(out, "    %s)\n        if [[ $cur == -* ]]; then\n            compgen -W '",
                command->name);
        for (int k = 0; k < OPTION_COUNT; k++) {
            char spelling[OPTION_SPELLING];
            if (option_in(command->options, k))
                fprintf(out, "%s ", option_spelling(&option_rows[k], spelling));
        }
        const char *words = bash_words[operand_words(command)];
        fprintf(out,
                "' -- \"$cur\"\n        else\n            %s\n"
                "        fi\n        ;;\n",
                *words ? words : ":");
    }
}

static void print_bash(FILE *out) {
    fputs("# bash completion for mlc\n_mlc_words() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    if ((COMP_CWORD == 1)); then\n        compgen -W '",
          out);
    print_commands(" ", out);
    fputs(" help version' -- \"$cur\"\n        return\n    fi\n"
          "    case \"${COMP_WORDS[1]} $previous\" in\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++) print_bash_arguments(&command_rows[i], out);
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    print_bash_commands(out);
    fputs("    help) compgen -W '", out);
    print_commands(" ", out);
    fputs("' -- \"$cur\" ;;\n    esac\n}\n"
          "_mlc() { mapfile -t COMPREPLY < <(_mlc_words); }\n"
          "complete -o filenames -F _mlc mlc\n",
          out);
}

/* -- zsh -- */

/* Text within '...' and [...] of an _arguments specification. */
static void print_zsh_text(const char *text, FILE *out) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
    }
}

static const char *const zsh_words[] = {[WORDS_ANY] = " ",
                                        [WORDS_MODEL] = "_files -g \"*.mdl\"",
                                        [WORDS_FOLDER] = "_files -/",
                                        [WORDS_FILE] = "_files"};

static void print_zsh_option(const OptionRow *option, FILE *out) {
    char spelling[OPTION_SPELLING];
    fprintf(out, " \\\n            '%s%s[", option->kind == KIND_LIST ? "*" : "",
            option_spelling(option, spelling));
    print_zsh_text(option->help, out);
    fputc(']', out);
    if (option->kind == KIND_CHOICE) {
        fputs(":choice:(", out);
        print_choices(option->argument, out);
        fputc(')', out);
    } else if (*option->argument) {
        fputc(':', out);
        print_zsh_text(option->argument, out);
        fprintf(out, ":%s", zsh_words[words_of(option->argument)]);
    }
    fputc('\'', out);
}

static void print_zsh(FILE *out) {
    fputs("#compdef mlc\n_mlc() {\n    local -a commands=(\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "        '%s:", command_rows[i].name);
        print_zsh_text(command_rows[i].help, out);
        fputs("'\n", out);
    }
    fputs("    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n"
          "        return\n    fi\n    local command=$words[2]\n    shift words\n"
          "    ((CURRENT--))\n    case $command in\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const CommandRow *command = &command_rows[i];
        fprintf(out, "    %s)\n        _arguments", command->name);
        for (int k = 0; k < OPTION_COUNT; k++)
            if (option_in(command->options, k)) print_zsh_option(&option_rows[k], out);
        fprintf(out, " \\\n            '*:argument:%s'\n        ;;\n",
                zsh_words[operand_words(command)]);
    }
    fputs("    help) _describe command commands ;;\n    esac\n}\n_mlc \"$@\"\n", out);
}

/* -- fish -- */

static void print_fish_text(const char *text, FILE *out) {
    fputc('\'', out);
    for (; *text; text++) fprintf(out, "%s%c", strchr("'\\", *text) ? "\\" : "", *text);
    fputc('\'', out);
}

static void print_fish_option(const CommandRow *command, const OptionRow *option, FILE *out) {
    fprintf(out, "complete -c mlc -n '__fish_seen_subcommand_from %s'", command->name);
    if (option->name) fprintf(out, " -l %s", option->name);
    if (option->letter) fprintf(out, " -s %c", option->letter);
    if (option->kind == KIND_CHOICE) {
        fputs(" -x -a '", out);
        print_choices(option->argument, out);
        fputc('\'', out);
    } else if (*option->argument)
        fputs(words_of(option->argument) == WORDS_ANY ? " -x" : " -r", out);
    fputs(" -d ", out);
    print_fish_text(option->help, out);
    fputc('\n', out);
}

static void print_fish(FILE *out) {
    fputs("# fish completion for mlc\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const CommandRow *command = &command_rows[i];
        fprintf(out, "complete -c mlc -n __fish_use_subcommand -f -a %s -d ", command->name);
        print_fish_text(command->help, out);
        fputc('\n', out);
        for (int k = 0; k < OPTION_COUNT; k++)
            if (option_in(command->options, k)) print_fish_option(command, &option_rows[k], out);
    }
    fputs("complete -c mlc -n '__fish_seen_subcommand_from help' -f -a '", out);
    print_commands(" ", out);
    fputs("'\n", out);
}

bool help_print_completion(const char *shell, FILE *out) {
    static const struct {
        const char *shell;
        void (*print)(FILE *out);
    } scripts[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (!strcmp(scripts[i].shell, shell)) {
            scripts[i].print(out);
            return true;
        }
    return false;
}
