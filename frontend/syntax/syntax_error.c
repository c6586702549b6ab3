/* What to say about a token that the grammar has no place for. */
#include "parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

bool syntax_error(Syntax *syntax, Span span, const char *format, ...) {
    va_list args;
    /* Where the line of a place begins. */
    uint32_t line = span.begin - syntax->input.base;
    while (line > 0 && syntax->input.text[line - 1] != '\n') line--;
    if (syntax->lost || (syntax->has_error && syntax->error_line == line)) return false;
    syntax->has_error = true;
    syntax->error_line = line;
    va_start(args, format);
    diag_error(syntax->input.diag, STATUS_MODEL, span, "%s",
               arena_vformat(syntax->input.arena, format, args));
    va_end(args);
    return true;
}

/* The token as it stands in the text. */
static const char *written(Syntax *syntax, const SyntaxSurprise *surprise) {
    const SyntaxInput *input = &syntax->input;
    Span span = surprise->span;
    if (surprise->token == 0) return "the end of the text";
    if (surprise->token == NL) return "the end of the line";
    return arena_format(input->arena, "'%.*s'", (int)(span.end - span.begin),
                        input->text + span.begin - input->base);
}

/* Without quotes. */
static const char *written_word(Syntax *syntax, const SyntaxSurprise *surprise) {
    const SyntaxInput *input = &syntax->input;
    return arena_copy_string(input->arena, input->text + surprise->span.begin - input->base,
                             surprise->span.end - surprise->span.begin);
}

static bool expects(const SyntaxSurprise *surprise, int token) {
    for (int i = 0; i < surprise->expected_count; i++)
        if (surprise->expected[i] == token) return true;
    return false;
}

static bool is_keyword(int token) { return token >= USE && token <= NOT; }

/* What to name of the expected tokens, by the first that fits; operators are never worth a list. */
static const char *expectation(const SyntaxSurprise *surprise) {
    if (expects(surprise, PARAM)) return "'use', 'param', 'def', 'model', 'data' or 'train'";
    if (expects(surprise, '{') && surprise->expected_count == 1) return "'{'";
    if (expects(surprise, INT) && expects(surprise, ':')) return "an index or ':'";
    if (expects(surprise, INT) && expects(surprise, ID)) return "an expression";
    if (expects(surprise, FOR)) return "a statement or '}'";
    if (expects(surprise, FIELD)) return "a setting 'name = value' or '}'";
    if (expects(surprise, ID)) return "a name";
    if (expects(surprise, STRING)) return "a file's name in quotes";
    if (expects(surprise, INT)) return "a whole number";
    if (expects(surprise, ARROW)) return "'=' or '->'";
    if (expects(surprise, ':') && expects(surprise, ')')) return "':', '=', ',' or ')'";
    if (expects(surprise, ')'))
        return expects(surprise, ',') ? "an operator, ',' or ')'" : "an operator or ')'";
    if (expects(surprise, ']')) return "an operator, ',' or ']'";
    if (expects(surprise, '{')) return "an operator or '{'";
    if (expects(surprise, '=') && expects(surprise, ',')) return "'=' or ','";
    if (expects(surprise, '=')) return "'='";
    if (expects(surprise, NL)) return "the end of the line";
    if (expects(surprise, '(')) return "'('";
    return NULL;
}

/* The text of the model at a place. */
static const char *text_at(const Syntax *syntax, uint32_t at) {
    return syntax->input.text + at - syntax->input.base;
}

/* The word right before the surprise, in its line; "": there is none. */
static const char *word_before(Syntax *syntax, const SyntaxSurprise *surprise) {
    uint32_t end = surprise->span.begin, base = syntax->input.base;
    while (end > base && *text_at(syntax, end - 1) == ' ') end--;
    uint32_t begin = end;
    while (begin > base && (isalnum((unsigned char)*text_at(syntax, begin - 1)) ||
                            *text_at(syntax, begin - 1) == '_'))
        begin--;
    return arena_copy_string(syntax->input.arena, text_at(syntax, begin), end - begin);
}

/* Whether this character is the last one before the surprise, in its line. */
static bool follows(const Syntax *syntax, const SyntaxSurprise *surprise, char sign) {
    uint32_t end = surprise->span.begin, base = syntax->input.base;
    while (end > base && *text_at(syntax, end - 1) == ' ') end--;
    return end > base && *text_at(syntax, end - 1) == sign;
}

/* Words that other languages begin a block with, and what stands at the top level elsewhere. */
static const char *item_help(Syntax *syntax, const char *word) {
    static const char *const words[] = {"use", "param", "def", "model", "data", "train"};
    static const struct {
        const char *word, *help;
    } others[] = {
        {"import", "other files are read by use \"FILE.mdl\"; the library needs no import"},
        {"include", "other files are read by use \"FILE.mdl\""},
        {"from", "other files are read by use \"FILE.mdl\"; the library needs no import"},
        {"class", "the network is model NAME(input) -> output { ... }"},
        {"network", "the network is model NAME(input) -> output { ... }"},
        {"net", "the network is model NAME(input) -> output { ... }"},
        {"function", "a function is def NAME(input) = ..."},
        {"fn", "a function is def NAME(input) = ..."},
        {"dataset", "the data are data { source = ... }"},
        {"source", "put it into data { source = ... }"},
        {"field", "put it into data { source = ...; field x = ... }"},
        {"loss", "put it into train { loss = ...; optimizer = ... }"},
        {"optimizer", "put it into train { loss = ...; optimizer = ... }"},
        {"epochs", "put it into train { ... }"},
        {"batch", "put it into train { ... }"},
        {"metrics", "put it into train { ... }"},
        {"seed", "put it into train { ... }"},
        {"lr", "write param lr = 1e-3 for a number that --set can change"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i].word, word)) return others[i].help;
    const char *near = diag_nearest(word, words, sizeof words / sizeof *words);
    return near ? arena_format(syntax->input.arena, "did you mean '%s'?", near) : NULL;
}

static bool declares_a_variable(const char *word) {
    static const char *const words[] = {"let",   "var", "const",  "auto",
                                        "float", "int", "tensor", "set"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], word)) return true;
    return false;
}

static bool is_arithmetic(int token) {
    return token == '+' || token == '-' || token == '*' || token == '/';
}

static bool is_value(int token) {
    return token == INT || token == FLOAT || token == STRING || token == TRUE || token == FALSE;
}

/* Where a name is to get a value. */
static const char *value_help(Syntax *syntax, const SyntaxSurprise *surprise) {
    static const char *const field = "field";
    const char *before = word_before(syntax, surprise);
    if (!strcmp(before, "while")) return "there is no 'while'; write for i in 1..10 { ... }";
    if (!strcmp(before, "for")) return "write for i in 1..10 { ... }";
    if (!strcmp(before, "print"))
        return "'mlc summary FILE.mdl' shows the shapes of a model, 'mlc data FILE.mdl' its data";
    if (surprise->token == ARROW) return "assign with '=': y = x |> dense(8)";
    if (surprise->token == PIPE) return "give the result a name: y = x |> dense(8)";
    if (surprise->token == ':') return "assign with '='; a block is written { ... }";
    if (surprise->token == '(') return "give the result a name: y = f(x)";
    if (surprise->token == '.')
        return "give the result a name, and call functions by name: y = f(x)";
    if (is_arithmetic(surprise->token) && *text_at(syntax, surprise->span.end) == '=')
        return arena_format(syntax->input.arena, "write %s = %s %c ...", before, before,
                            surprise->token);
    if (is_arithmetic(surprise->token) && !*before) return "comments begin with '#'";
    if (!strcmp(before, "return")) return "assign to the name of the output: logits = ...";
    if (declares_a_variable(before)) return "write NAME = ... without a word before the name";
    if (surprise->token == ID && !expects(surprise, ',') && diag_nearest(before, &field, 1))
        return "did you mean 'field'?";
    if (surprise->token == ID && !expects(surprise, ','))
        return "a setting is NAME = VALUE, and a field is field NAME = VALUE";
    if (is_value(surprise->token) || surprise->token == EQ) return "assign with '=': epochs = 10";
    return NULL;
}

/* In the head of a block, def or model. */
static const char *head_help(Syntax *syntax, const SyntaxSurprise *surprise) {
    const char *before = word_before(syntax, surprise);
    if (expects(surprise, ARROW) && surprise->token == '{')
        return "a model names its outputs: model net(image) -> logits { ... }";
    if (expects(surprise, ARROW) && surprise->token == ':')
        return "outputs follow '->': model net(image) -> logits { ... }";
    if (expects(surprise, '(') && surprise->expected_count == 1)
        return "write the inputs after the name, in brackets: model net(image) -> logits { ... }";
    if (surprise->token == '(' && !strcmp(before, "model"))
        return "the network has a name: model net(image) -> logits { ... }";
    if (expects(surprise, IN) && surprise->expected_count == 1)
        return "write for i in 1..10 { ... }";
    if (surprise->token == '(' && !strcmp(before, "for")) return "write for i in 1..10 { ... }";
    if (surprise->token == '.' && expects(surprise, ':') && expects(surprise, ')'))
        return "inputs are names of fields: field x = source.x in the data block, and net(x)";
    if (expects(surprise, '{') && surprise->token == ':') return "a block is written { ... }";
    if (expects(surprise, '{') && (surprise->token == '=' || surprise->token == '('))
        return "write '{' right after the name: train { ... }";
    if (expects(surprise, '{') && surprise->expected_count == 1)
        return "write a block { ... }, with '{' on the same line";
    if (expects(surprise, '{') && surprise->token == ID) return "write a block { ... }";
    return NULL;
}

/* Inside of an expression, or where it might have ended. */
static const char *expression_help(Syntax *syntax, const SyntaxSurprise *surprise) {
    bool at_end = expects(surprise, NL) && expects(surprise, AND),
         in_list = expects(surprise, ')') && expects(surprise, AND);
    if (expects(surprise, INT) && expects(surprise, ID) && follows(syntax, surprise, '%'))
        return "'%' is a remainder: write 10 % as 0.1";
    if (surprise->token == ':' && in_list) return "a range is 1..4, both ends included";
    if (surprise->token == ARROW) return "chain functions with '|>': x |> dense(8) |> relu";
    if (surprise->token == '>' && expects(surprise, INT) && expects(surprise, ID))
        return "chain functions with '|>': x |> dense(8) |> relu";
    if (surprise->token == STRING && expects(surprise, ID) && !expects(surprise, INT))
        return "write the name of a function without quotes: x |> relu";
    if (surprise->token == RANGE && expects(surprise, ':'))
        return "':' stands for a whole axis: x[:, 0]";
    if (surprise->token == ID && at_end) return "chain functions with '|>', and multiply with '*'";
    if ((is_value(surprise->token) || surprise->token == '[') && at_end &&
        *word_before(syntax, surprise))
        return "write arguments in brackets: dense(8)";
    if (surprise->token == ',' && at_end)
        return "write a list as [a, b]; settings go on separate lines, without ','";
    if (surprise->token == ',' && in_list && !expects(surprise, ','))
        return "write a list as [a, b]";
    return NULL;
}

static const char *shape_help(Syntax *syntax, const SyntaxSurprise *surprise) {
    if (expects(surprise, MDL))
        return "the first line of a model is 'mdl 1'; name the data in its data block: source = csv(\"FILE\")";
    if (expects(surprise, PARAM)) return item_help(syntax, written_word(syntax, surprise));
    if (expects(surprise, INT) && surprise->expected_count == 1)
        return "the first line of a model is 'mdl 1'";
    if ((is_arithmetic(surprise->token) || surprise->token == STRING) && syntax->first_on_line)
        return "comments begin with '#'";
    const char *head = head_help(syntax, surprise);
    if (head) return head;
    if (expects(surprise, '=') && !expects(surprise, ')')) return value_help(syntax, surprise);
    return expression_help(syntax, surprise);
}

static const char *help_for(Syntax *syntax, const SyntaxSurprise *surprise) {
    if (surprise->token == '=' && expects(surprise, EQ))
        return "'==' compares; '=' assigns, or names an argument";
    bool begins = syntax->first_on_line && !expects(surprise, FOR);
    if (is_keyword(surprise->token) && expects(surprise, ID) && !begins)
        return arena_format(syntax->input.arena, "%s is a keyword%s", written(syntax, surprise),
                            expects(surprise, INT) ? ", not a value" : "; choose another name");
    return shape_help(syntax, surprise);
}

static bool is_comparison(int token) {
    return token == '<' || token == '>' || token == LE || token == GE || token == EQ || token == NE;
}

void syntax_unexpected(Syntax *syntax, const SyntaxSurprise *surprise) {
    bool repaired = syntax->repaired;
    syntax->repaired = false;
    if (repaired || syntax->stopped) return;
    const char *found = written(syntax, surprise), *expected = expectation(surprise),
               *help = help_for(syntax, surprise);
    bool told = false;
    if (expects(surprise, MDL) && surprise->token == 0) {
        told = syntax_error(syntax, surprise->span,
                            "this text is empty; a model begins with the line 'mdl 1'");
    } else if (expects(surprise, MDL)) {
        told = syntax_error(syntax, surprise->span,
                            "a model begins with the line 'mdl 1'; this one begins with %s", found);
    } else if (is_comparison(surprise->token) && expects(surprise, AND)) {
        told = syntax_error(syntax, surprise->span, "comparisons cannot be chained");
        help = "write 'a < b and b < c'";
    } else if (expected) {
        told = syntax_error(syntax, surprise->span, "%s where %s is expected", found, expected);
    } else {
        told = syntax_error(syntax, surprise->span, "%s is not allowed here", found);
    }
    if (help && told) diag_help(syntax->input.diag, "%s", help);
    syntax->lost |= told && !syntax->depth && syntax->goal == READ_MODEL && !expects(surprise, MDL);
}
