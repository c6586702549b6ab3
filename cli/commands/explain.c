/* mlc explain: prints what a function of the language does and how to call it. */
#include "cli/session/commands.h"
#include "frontend/manual/explain.h"

Status command_explain(const Options *given, Diagnostics *diag) {
    bool explained = given->manual ? explain_manual(stdout, diag)
                     : given->operand_count == 0
                         ? explain_list(stdout, diag)
                         : explain_function(given->operands[0], stdout, diag);
    return diag_outcome(diag, explained);
}
