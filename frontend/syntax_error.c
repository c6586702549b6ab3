/* What to say about a token that the grammar has no place for. */
#include "parser.h"

#include <stdarg.h>
#include <string.h>

void syntax_error(Syntax *syntax, Span span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    diag_error(syntax->input.diag, STATUS_MODEL, span, "%s", arena_vformat(syntax->input.arena, format, args));
    va_end(args);
}

/* The token as it stands in the text. */
static const char *written(Syntax *syntax, const SyntaxSurprise *surprise) {
    const SyntaxInput *input = &syntax->input;
    Span span = surprise->span;
    if (surprise->token == 0) return "the end of the text";
    if (surprise->token == NL) return "the end of the line";
    return arena_format(input->arena, "'%.*s'", (int)(span.end - span.begin), input->text + span.begin - input->base);
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
    if (expects(surprise, ')')) return expects(surprise, ',') ? "an operator, ',' or ')'" : "an operator or ')'";
    if (expects(surprise, ']')) return "an operator, ',' or ']'";
    if (expects(surprise, '{')) return "an operator or '{'";
    if (expects(surprise, '=') && expects(surprise, ',')) return "'=' or ','";
    if (expects(surprise, '=')) return "'='";
    if (expects(surprise, '(')) return "'('";
    if (expects(surprise, NL)) return "the end of the line";
    return NULL;
}

static const char *remedy(Syntax *syntax, const SyntaxSurprise *surprise) {
    if (surprise->token == '=' && expects(surprise, EQ))
        return "'==' compares; '=' only gives a name to a value, or an argument by name";
    bool begins = syntax->first_on_line && !expects(surprise, FOR);
    if (is_keyword(surprise->token) && expects(surprise, ID) && !begins)
        return arena_format(syntax->input.arena, "%s is a word of the language; choose another name",
                            written(syntax, surprise));
    return NULL;
}

static bool is_comparison(int token) {
    return token == '<' || token == '>' || token == LE || token == GE || token == EQ || token == NE;
}

void syntax_unexpected(Syntax *syntax, const SyntaxSurprise *surprise) {
    bool repaired = syntax->repaired;
    syntax->repaired = false;
    if (repaired || syntax->stopped) return;
    const char *found = written(syntax, surprise), *expected = expectation(surprise), *help = remedy(syntax, surprise);
    if (expects(surprise, MDL) && surprise->token == 0) {
        syntax_error(syntax, surprise->span, "this text is empty; a model begins with the line 'mdl 1'");
    } else if (expects(surprise, MDL)) {
        syntax_error(syntax, surprise->span, "a model begins with the line 'mdl 1'; this one begins with %s", found);
    } else if (is_comparison(surprise->token) && expects(surprise, AND)) {
        syntax_error(syntax, surprise->span, "comparisons cannot be chained");
        help = "write 'a < b and b < c'";
    } else if (expected) {
        syntax_error(syntax, surprise->span, "%s where %s is due", found, expected);
    } else {
        syntax_error(syntax, surprise->span, "%s has no place here", found);
    }
    if (help) diag_help(syntax->input.diag, "%s", help);
}
