/* Chooses what the user of a page enters, and reads the rows of data for the page. */
#include "cli/session/inputs.h"
#include "cli/ship/shipment.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <math.h>
#include <string.h>

/* -- what the user enters -- */

static bool is_picture(const ShipInput *input) {
    Shape row = input->field->row;
    return !input->is_member && input->field->dtype == DTYPE_U8 && row.rank == 3 &&
           (row.dim[0] == 1 || row.dim[0] == 3);
}

static bool no_form(const Shipment *shipment, const char *finding, const char *name) {
    diag_error(shipment->diag, STATUS_MODEL, (Span){0}, finding, name);
    diag_help(shipment->diag,
              "a page asks for one picture, u8[1 or 3, height, width], or for columns of a table; "
              "--form wasm makes modules for a page of your own");
    return false;
}

static bool choose_kind(Shipment *shipment) {
    uint32_t pictures = 0, members = 0, count = 0;
    const ShipInput *last = NULL;
    if (shipment_lines(shipment) > 1)
        return no_form(shipment, "--form html: %s reads windows of a series", "the network");
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        if (input->for_training) continue;
        count++;
        pictures += is_picture(input);
        members += input->is_member;
        if (!input->is_member) last = input;
    }
    if (count == 0) return no_form(shipment, "--form html: %s reads nothing", "the network");
    if (members == count) {
        shipment->page.kind = PAGE_TABLE;
        return true;
    }
    if (count > 1 || !pictures)
        return no_form(shipment, "--form html: there is no form for the input '%s'", last->name);
    bool drawn = inputs_centre_strokes(&shipment->session.build, last->field->row);
    shipment->page.kind = drawn ? PAGE_DRAWING : PAGE_PICTURE;
    return true;
}

/* -- rows -- */

void shipment_put_number(ShipType type, void *to, double number) {
    switch (type) {
    case SHIP_U8: *(uint8_t *)to = (uint8_t)number; break;
    case SHIP_I32: *(int32_t *)to = (int32_t)number; break;
    case SHIP_F32: *(float *)to = (float)number; break;
    default: *(double *)to = number;
    }
}

/* Writes one input of `count` rows of a split, at equal distances. Returns the end. */
static char *put_rows(const Shipment *shipment, const ShipInput *input, Split split, int64_t count,
                      char *to) {
    const Dataset *dataset = shipment->session.dataset;
    const SourceSchema *schema = dataset_fields(dataset);
    const int32_t *rows = dataset_split(dataset, split);
    uint32_t field = 0;
    while (strcmp(schema->fields[field].name, input->field->name) != 0) field++;
    for (int64_t i = 0; i < count; i++) {
        int32_t row = rows[i * dataset_rows(dataset, split) / count];
        for (int64_t k = 0; k < input->elements; k++, to += ship_type_bytes(input->type)) {
            double number = dataset_number(dataset, field, row, k).number;
            /* an integer has no NaN: text without a category is -1 */
            if (input->type == SHIP_I32 && isnan(number)) number = -1;
            shipment_put_number(input->type, to, number);
        }
    }
    return to;
}

static bool read_rows(Shipment *shipment) {
    enum { TEST_ROWS = 500, KEPT_ROWS = 250 };
    Session *session = &shipment->session;
    ShipPage *page = &shipment->page;
    if (!session_read_data(session)) {
        diag_help(shipment->diag, "with --train, a page holds rows of the data that the model "
                                  "names; without it, it needs none");
        return false;
    }
    Split test = dataset_rows(session->dataset, SPLIT_TEST) ? SPLIT_TEST : SPLIT_VALID;
    page->test = min_i64(TEST_ROWS, dataset_rows(session->dataset, test));
    page->kept = min_i64(KEPT_ROWS, dataset_rows(session->dataset, SPLIT_TRAIN));
    for (uint32_t i = 0; i < shipment->input_count; i++)
        page->length += (size_t)((page->test + page->kept) * shipment->inputs[i].elements) *
                        ship_type_bytes(shipment->inputs[i].type);
    char *at = page->bytes = memory_new(page->length, "the rows of a page");
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        at = put_rows(shipment, &shipment->inputs[i], test, page->test, at);
        at = put_rows(shipment, &shipment->inputs[i], SPLIT_TRAIN, page->kept, at);
    }
    dataset_free(session->dataset);
    session->dataset = NULL;
    return true;
}

bool shipment_prepare_page(Shipment *shipment) {
    return choose_kind(shipment) && (!shipment_trains(shipment) || read_rows(shipment));
}
