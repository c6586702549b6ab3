/* Words the error about an unexpected token: what was found, what is expected there, and a help
 * that depends on the mistake. For instance `y -> relu(x)`: "'->' where '=' is expected", with the
 * help "assign with '='". */
#include "parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

bool syntax_error(Syntax *syntax, Span span, const char *format, ...) {
    uint32_t line = span.begin - syntax->input.base;
    while (line > 0 && syntax->input.text[line - 1] != '\n') line--;
    if (syntax->lost || (syntax->has_error && syntax->error_line == line)) return false;
    syntax->has_error = true;
    syntax->error_line = line;
    va_list args;
    va_start(args, format);
    diag_error(syntax->input.diag, STATUS_MODEL, span, "%s",
               arena_vformat(syntax->input.arena, format, args));
    va_end(args);
    return true;
}

/* The token as the text writes it, in quotes. */
static const char *written(Syntax *syntax, const UnexpectedToken *unexpected) {
    const SyntaxInput *input = &syntax->input;
    Span span = unexpected->span;
    if (unexpected->token == 0) return "the end of the text";
    if (unexpected->token == NL) return "the end of the line";
    return arena_format(input->arena, "'%.*s'", (int)(span.end - span.begin),
                        input->text + span.begin - input->base);
}

/* The token as the text writes it, without quotes. */
static const char *written_word(Syntax *syntax, const UnexpectedToken *unexpected) {
    const SyntaxInput *input = &syntax->input;
    return arena_copy_string(input->arena, input->text + unexpected->span.begin - input->base,
                             unexpected->span.end - unexpected->span.begin);
}

static bool expects(const UnexpectedToken *unexpected, int token) {
    for (int i = 0; i < unexpected->expected_count; i++)
        if (unexpected->expected[i] == token) return true;
    return false;
}

/* The name of what is expected, by the first rule that fits. Operators are not listed one by
 * one. */
static const char *expectation(const UnexpectedToken *unexpected) {
    if (expects(unexpected, PARAM)) return "'use', 'param', 'def', 'model', 'data' or 'train'";
    if (expects(unexpected, '{') && unexpected->expected_count == 1) return "'{'";
    if (expects(unexpected, INT) && expects(unexpected, ':')) return "an index or ':'";
    if (expects(unexpected, INT) && expects(unexpected, ID)) return "an expression";
    if (expects(unexpected, FOR)) return "a statement or '}'";
    if (expects(unexpected, FIELD)) return "a setting 'name = value' or '}'";
    if (expects(unexpected, ID)) return "a name";
    if (expects(unexpected, STRING)) return "a file's name in quotes";
    if (expects(unexpected, INT)) return "a whole number";
    if (expects(unexpected, ARROW)) return "'=' or '->'";
    if (expects(unexpected, ':') && expects(unexpected, ')')) return "':', '=', ',' or ')'";
    if (expects(unexpected, ')'))
        return expects(unexpected, ',') ? "an operator, ',' or ')'" : "an operator or ')'";
    if (expects(unexpected, ']')) return "an operator, ',' or ']'";
    if (expects(unexpected, '{')) return "an operator or '{'";
    if (expects(unexpected, '=') && expects(unexpected, ',')) return "'=' or ','";
    if (expects(unexpected, '=')) return "'='";
    if (expects(unexpected, NL)) return "the end of the line";
    if (expects(unexpected, '(')) return "'('";
    return NULL;
}

/* The text from byte `at` of its file on. */
static const char *text_at(const Syntax *syntax, uint32_t at) {
    return syntax->input.text + at - syntax->input.base;
}

/* The word right before the unexpected token, in the same line; "" where there is none. */
static const char *word_before(Syntax *syntax, const UnexpectedToken *unexpected) {
    uint32_t end = unexpected->span.begin, base = syntax->input.base;
    while (end > base && *text_at(syntax, end - 1) == ' ') end--;
    uint32_t begin = end;
    while (begin > base && (isalnum((unsigned char)*text_at(syntax, begin - 1)) ||
                            *text_at(syntax, begin - 1) == '_'))
        begin--;
    return arena_copy_string(syntax->input.arena, text_at(syntax, begin), end - begin);
}

/* Whether this character is the last one before the unexpected token, in the same line. */
static bool follows(const Syntax *syntax, const UnexpectedToken *unexpected, char sign) {
    uint32_t end = unexpected->span.begin, base = syntax->input.base;
    while (end > base && *text_at(syntax, end - 1) == ' ') end--;
    return end > base && *text_at(syntax, end - 1) == sign;
}

/* At the top level: words with which other languages begin an item, and settings outside their
 * block. */
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

/* Help after a name that should get a value. */
static const char *value_help(Syntax *syntax, const UnexpectedToken *unexpected) {
    static const char *const field = "field";
    const char *before = word_before(syntax, unexpected);
    if (!strcmp(before, "while")) return "there is no 'while'; write for i in 1..10 { ... }";
    if (!strcmp(before, "for")) return "write for i in 1..10 { ... }";
    if (!strcmp(before, "print"))
        return "'mlc summary FILE.mdl' shows the shapes of a model, 'mlc data FILE.mdl' its data";
    if (unexpected->token == ARROW) return "assign with '=': y = x |> dense(8)";
    if (unexpected->token == PIPE) return "give the result a name: y = x |> dense(8)";
    if (unexpected->token == ':') return "assign with '='; a block is written { ... }";
    if (unexpected->token == '(') return "give the result a name: y = f(x)";
    if (unexpected->token == '.')
        return "give the result a name, and call functions by name: y = f(x)";
    if (is_arithmetic(unexpected->token) && *text_at(syntax, unexpected->span.end) == '=')
        return arena_format(syntax->input.arena, "write %s = %s %c ...", before, before,
                            unexpected->token);
    if (is_arithmetic(unexpected->token) && !*before) return "comments begin with '#'";
    if (!strcmp(before, "return")) return "assign to the name of the output: logits = ...";
    if (declares_a_variable(before)) return "write NAME = ... without a word before the name";
    if (unexpected->token == ID && !expects(unexpected, ',') && diag_nearest(before, &field, 1))
        return "did you mean 'field'?";
    if (unexpected->token == ID && !expects(unexpected, ','))
        return "a setting is NAME = VALUE, and a field is field NAME = VALUE";
    if (is_value(unexpected->token) || unexpected->token == EQ)
        return "assign with '=': epochs = 10";
    return NULL;
}

/* Help in the head of a block, def or model. */
static const char *head_help(Syntax *syntax, const UnexpectedToken *unexpected) {
    const char *before = word_before(syntax, unexpected);
    if (expects(unexpected, ARROW) && unexpected->token == '{')
        return "a model names its outputs: model net(image) -> logits { ... }";
    if (expects(unexpected, ARROW) && unexpected->token == ':')
        return "outputs follow '->': model net(image) -> logits { ... }";
    if (expects(unexpected, '(') && unexpected->expected_count == 1)
        return "write the inputs after the name, in brackets: model net(image) -> logits { ... }";
    if (unexpected->token == '(' && !strcmp(before, "model"))
        return "the network has a name: model net(image) -> logits { ... }";
    if (expects(unexpected, IN) && unexpected->expected_count == 1)
        return "write for i in 1..10 { ... }";
    if (unexpected->token == '(' && !strcmp(before, "for")) return "write for i in 1..10 { ... }";
    if (unexpected->token == '.' && expects(unexpected, ':') && expects(unexpected, ')'))
        return "inputs are names of fields: field x = source.x in the data block, and net(x)";
    if (expects(unexpected, '{') && unexpected->token == ':') return "a block is written { ... }";
    if (expects(unexpected, '{') && (unexpected->token == '=' || unexpected->token == '('))
        return "write '{' right after the name: train { ... }";
    if (expects(unexpected, '{') && unexpected->expected_count == 1)
        return "write a block { ... }, with '{' on the same line";
    if (expects(unexpected, '{') && unexpected->token == ID) return "write a block { ... }";
    return NULL;
}

/* Help inside an expression, or after a complete one. */
static const char *expression_help(Syntax *syntax, const UnexpectedToken *unexpected) {
    bool at_end = expects(unexpected, NL) && expects(unexpected, AND),
         in_list = expects(unexpected, ')') && expects(unexpected, AND);
    if (expects(unexpected, INT) && expects(unexpected, ID) && follows(syntax, unexpected, '%'))
        return "'%' is a remainder: write 10 % as 0.1";
    if (unexpected->token == ':' && in_list) return "a range is 1..4, both ends included";
    if (unexpected->token == ARROW) return "chain functions with '|>': x |> dense(8) |> relu";
    if (unexpected->token == '>' && expects(unexpected, INT) && expects(unexpected, ID))
        return "chain functions with '|>': x |> dense(8) |> relu";
    if (unexpected->token == STRING && expects(unexpected, ID) && !expects(unexpected, INT))
        return "write the name of a function without quotes: x |> relu";
    if (unexpected->token == RANGE && expects(unexpected, ':'))
        return "':' stands for a whole axis: x[:, 0]";
    if (unexpected->token == ID && at_end)
        return "chain functions with '|>', and multiply with '*'";
    if ((is_value(unexpected->token) || unexpected->token == '[') && at_end &&
        *word_before(syntax, unexpected))
        return "write arguments in brackets: dense(8)";
    if (unexpected->token == ',' && at_end)
        return "write a list as [a, b]; settings go on separate lines, without ','";
    if (unexpected->token == ',' && in_list && !expects(unexpected, ','))
        return "write a list as [a, b]";
    return NULL;
}

static const char *help_for(Syntax *syntax, const UnexpectedToken *unexpected) {
    if (unexpected->token == '=' && expects(unexpected, EQ))
        return "'==' compares; '=' assigns, or names an argument";
    bool begins = syntax->first_on_line && !expects(unexpected, FOR);
    if (unexpected->token >= USE && unexpected->token <= NOT && expects(unexpected, ID) && !begins)
        return arena_format(syntax->input.arena, "%s is a keyword%s", written(syntax, unexpected),
                            expects(unexpected, INT) ? ", not a value" : "; choose another name");
    /* The part of the grammar in which the token stands decides. */
    if (expects(unexpected, MDL))
        return "the first line of a model is 'mdl 1'; name the data in its data block: source = csv(\"FILE\")";
    if (expects(unexpected, PARAM)) return item_help(syntax, written_word(syntax, unexpected));
    if (expects(unexpected, INT) && unexpected->expected_count == 1)
        return "the first line of a model is 'mdl 1'";
    if ((is_arithmetic(unexpected->token) || unexpected->token == STRING) && syntax->first_on_line)
        return "comments begin with '#'";
    const char *head = head_help(syntax, unexpected);
    if (head) return head;
    if (expects(unexpected, '=') && !expects(unexpected, ')'))
        return value_help(syntax, unexpected);
    return expression_help(syntax, unexpected);
}

static bool is_comparison(int token) {
    return token == '<' || token == '>' || token == LE || token == GE || token == EQ || token == NE;
}

void syntax_unexpected(Syntax *syntax, const UnexpectedToken *unexpected) {
    bool repaired = syntax->repaired;
    syntax->repaired = false;
    if (repaired || syntax->stopped) return;
    const char *found = written(syntax, unexpected), *expected = expectation(unexpected),
               *help = help_for(syntax, unexpected);
    bool reported = false;
    if (expects(unexpected, MDL) && unexpected->token == 0) {
        reported = syntax_error(syntax, unexpected->span,
                                "this text is empty; a model begins with the line 'mdl 1'");
    } else if (expects(unexpected, MDL)) {
        reported =
            syntax_error(syntax, unexpected->span,
                         "a model begins with the line 'mdl 1'; this one begins with %s", found);
    } else if (is_comparison(unexpected->token) && expects(unexpected, AND)) {
        reported = syntax_error(syntax, unexpected->span, "comparisons cannot be chained");
        help = "write 'a < b and b < c'";
    } else if (expected) {
        reported =
            syntax_error(syntax, unexpected->span, "%s where %s is expected", found, expected);
    } else {
        reported = syntax_error(syntax, unexpected->span, "%s is not allowed here", found);
    }
    if (help && reported) diag_help(syntax->input.diag, "%s", help);
    syntax->lost |=
        reported && !syntax->depth && syntax->goal == READ_MODEL && !expects(unexpected, MDL);
}
