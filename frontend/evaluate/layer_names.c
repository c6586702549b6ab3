/* Finds the tensors that names of layers stand for, as in `freeze = [dense1, "conv*"]`. */
#include "frontend/evaluate/evaluate.h"

#include <string.h>

/* Whether a text matches a pattern; `*` matches any characters. A mismatch goes back to the last
 * star only, so the time is at most the product of both lengths. */
static bool matches(const char *pattern, const char *text) {
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        if (*pattern == '*')
            star = pattern++, star_text = text;
        else if (*pattern == *text)
            pattern++, text++;
        else if (star)
            pattern = star + 1, text = ++star_text;
        else
            return false;
    }
    while (*pattern == '*') pattern++;
    return !*pattern;
}

bool layer_name_covers(Arena *arena, const char *pattern, const char *tensor) {
    const char *dot = strrchr(tensor, '.');
    return matches(pattern, tensor) ||
           (dot && matches(pattern, arena_copy_string(arena, tensor, (size_t)(dot - tensor))));
}

bool layer_names_cover(Arena *arena, const LayerNames *names, const char *tensor) {
    for (uint32_t i = 0; i < names->count; i++)
        if (layer_name_covers(arena, names->patterns[i], tensor)) return true;
    return false;
}

bool freeze_holds(const Evaluator *evaluator, const char *tensor) {
    return layer_names_cover(evaluator->arena, &evaluator->globals->frozen, tensor);
}
