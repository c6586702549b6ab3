/* Makes names and strings of C from texts of the model and its data. */
#include "cli/ship/ship_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Keywords of C99 to C23 and of C++20, and names that standard headers define as macros. */
static bool is_keyword(const char *name) {
    static const char *const words[] = {
        "alignas",
        "alignof",
        "and",
        "and_eq",
        "asm",
        "auto",
        "bitand",
        "bitor",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "char16_t",
        "char32_t",
        "char8_t",
        "class",
        "co_await",
        "co_return",
        "co_yield",
        "compl",
        "concept",
        "const",
        "const_cast",
        "consteval",
        "constexpr",
        "constinit",
        "continue",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "dynamic_cast",
        "else",
        "enum",
        "errno",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "linux",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "not_eq",
        "nullptr",
        "operator",
        "or",
        "or_eq",
        "private",
        "protected",
        "public",
        "register",
        "reinterpret_cast",
        "requires",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_assert",
        "static_cast",
        "struct",
        "switch",
        "template",
        "this",
        "thread_local",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "typeof",
        "typeof_unqual",
        "union",
        "unix",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "wchar_t",
        "while",
        "xor",
        "xor_eq",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name)) return true;
    return false;
}

bool c_prefix_valid(const char *text) {
    bool valid = islower((unsigned char)*text) && strlen(text) <= 40 && !is_keyword(text);
    for (const char *at = text; *at; at++)
        valid &= islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_';
    return valid;
}

const char *c_name(Arena *arena, const char *text, const char *const *taken, uint32_t count) {
    char *name = arena_format(arena, "%s%.40s", isalpha((unsigned char)*text) ? "" : "x", text);
    for (char *at = name; *at; at++)
        *at = (char)(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '_');
    const char *free_name = name;
    for (uint32_t number = 2;; number++) {
        bool is_taken = is_keyword(free_name);
        for (uint32_t i = 0; i < count; i++) is_taken |= !strcasecmp(taken[i], free_name);
        if (!is_taken) return free_name;
        free_name = arena_format(arena, "%s_%u", name, number);
    }
}

const char *c_capitals(Arena *arena, const char *name) {
    char *capitals = arena_copy_string(arena, name, strlen(name));
    for (char *at = capitals; *at; at++) *at = (char)toupper((unsigned char)*at);
    return capitals;
}

/* Bytes outside of ASCII are written in octal, as are quotes, so that no compiler and no trigraph
 * changes them. */
const char *c_string(Arena *arena, const char *text) {
    char *string = arena_alloc(arena, 4 * strlen(text) + 3), *to = string;
    *to++ = '"';
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = byte >= 32 && byte < 127 && byte != '"' && byte != '\\' && byte != '?';
        if (plain)
            *to++ = *text;
        else
            to += sprintf(to, "\\%03o", byte);
    }
    *to++ = '"';
    return string;
}
