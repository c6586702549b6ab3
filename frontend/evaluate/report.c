/* Errors of the evaluator: their place, and the chain of calls that led there. */
#include "frontend/evaluate/evaluate.h"

enum { CHAIN_SHOWN = 6 };

Span evaluator_place(const Evaluator *evaluator, Span span) {
    const CallFrame *frame = evaluator->frame;
    while (library_owns(evaluator->globals->library, span) && frame) {
        span = frame->place;
        frame = frame->up;
    }
    return span;
}

void evaluator_at(Evaluator *evaluator, Span span) {
    evaluator->graph->span = evaluator_place(evaluator, span);
}

static bool reported_before(Evaluator *evaluator, Span place) {
    for (uint32_t i = 0; i < evaluator->reported_count; i++) {
        Span other = evaluator->reported[i];
        if (other.file == place.file && other.begin == place.begin && other.end == place.end)
            return true;
    }
    if (evaluator->reported_count < REPORTED_PLACES)
        evaluator->reported[evaluator->reported_count++] = place;
    return false;
}

/* Adds notes "in the call of 'residual' here", innermost first, for calls outside of the
 * library. */
static void note_calls(Evaluator *evaluator, Span place) {
    int shown = 0;
    for (const CallFrame *frame = evaluator->frame; frame && shown < CHAIN_SHOWN;
         frame = frame->up) {
        bool same = frame->place.file == place.file && frame->place.begin == place.begin;
        if (same || frame->callee->is_network ||
            library_owns(evaluator->globals->library, frame->place))
            continue;
        diag_note(evaluator->diag, frame->place, "in the call of '%s' here", frame->callee->name);
        shown++;
    }
    evaluator->errors_told = diag_errors(evaluator->diag);
}

bool evaluator_error(Evaluator *evaluator, Span span, const char *format, ...) {
    Span place = evaluator_place(evaluator, span);
    if (evaluator->stopped || reported_before(evaluator, place)) return false;
    va_list args;
    va_start(args, format);
    diag_error(evaluator->diag, STATUS_MODEL, place, "%s",
               arena_vformat(evaluator->arena, format, args));
    va_end(args);
    if (library_owns(evaluator->globals->library, span))
        diag_note(evaluator->diag, span, "in the library, here");
    note_calls(evaluator, place);
    /* further errors would not help */
    evaluator->stopped = diag_errors(evaluator->diag) > DIAG_MAX_ERRORS;
    return !evaluator->stopped;
}

bool evaluator_charge(Evaluator *evaluator, Span span, uint32_t steps) {
    evaluator->steps += steps;
    if (evaluator->stopped || evaluator->steps <= EVALUATE_MAX_STEPS) return !evaluator->stopped;
    evaluator_error(evaluator, span, "this model takes more than %d steps to evaluate",
                    EVALUATE_MAX_STEPS);
    evaluator->stopped = true;
    return false;
}

Value evaluator_built(Evaluator *evaluator, Span span, NodeId node) {
    if (!node && diag_errors(evaluator->diag) > evaluator->errors_told)
        note_calls(evaluator, evaluator_place(evaluator, span));
    if (evaluator->graph->node_count <= GRAPH_MAX_NODES) return value_tensor(node);
    evaluator_error(evaluator, span, "the graph of this model has more than %d nodes",
                    GRAPH_MAX_NODES);
    evaluator->stopped = true;
    return value_error();
}
