/* A network without a run. The model file gives the graph, its seed the first weights, and the
 * training rows what transforms of the data are fitted to. */
#include "cli/session/warm_start.h"
#include "cli/ship/shipment.h"

bool shipment_is_model(const Shipment *shipment) {
    const char *operand = shipment->options->operands[0];
    return path_is_stdin(operand) || path_ends_in(operand, ".mdl");
}

static bool check_options(const Shipment *shipment) {
    const Options *options = shipment->options;
    if (!options->with_training) {
        diag_error(shipment->diag, STATUS_USAGE, (Span){0},
                   "'%s' is a model, which has no trained weights", options->operands[0]);
        diag_help(shipment->diag, "'mlc train' makes a run of it, and 'mlc build RUN' a library; "
                                  "with --train, a library begins with the first weights");
        return false;
    }
    if (!option_given(options, OPTION_checkpoint)) return true;
    diag_error(shipment->diag, STATUS_USAGE, (Span){0},
               "--checkpoint is for a run: the model '%s' has no checkpoints",
               options->operands[0]);
    return false;
}

/* The clock of the training is that of `mlc train`, which counts the smaller last batch. */
static void count_batches(Shipment *shipment) {
    const ModelInfo *info = shipment->session.build.info;
    Cut cut = {.rows = dataset_rows(shipment->data, SPLIT_TRAIN), .batch = info->batch};
    shipment->batches = cut_batches(&cut);
}

bool shipment_open_model(Shipment *shipment) {
    Session *session = &shipment->session;
    return check_options(shipment) &&
           build_open(&session->build, shipment->options->operands[0], shipment->options,
                      shipment->diag) &&
           session_read_data(session);
}

bool shipment_draw_weights(Shipment *shipment) {
    Session *session = &shipment->session;
    const char *from;
    states_initialize(session->states, session->build.info->seed);
    bool good = session_fit_graph(session) && warm_start(session, &from);
    shipment->data = session->dataset;
    session->dataset = NULL;
    count_batches(shipment);
    return good;
}
