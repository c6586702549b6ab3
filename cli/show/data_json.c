/* The report of `mlc data FILE.mdl` as one JSON object. */
#include "cli/show/data_print.h"
#include "cli/results/journal.h"
#include "runtime/data/inspect.h"

#include <math.h>

/* -- statistics -- */

/* A whole number beyond 2^53 keeps all of its digits as a JSON integer. */
static json_t *exact_json(ExactNumber number) {
    int64_t whole;
    bool beyond = fabs(number.number) >= 0x1p53 && exact_whole(number, &whole);
    return beyond ? json_integer((json_int_t)whole) : json_exact(number.number);
}

static json_t *statistics_json(const Statistics *statistics) {
    const ExactNumber nothing = exact_of_real(NAN);
    bool any = statistics->moments.count > 0;
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "count",
                     (json_int_t)statistics->moments.count, "missing",
                     (json_int_t)statistics->missing, "infinite", (json_int_t)statistics->infinite,
                     "min", exact_json(any ? statistics->min : nothing), "mean",
                     exact_json(any ? moments_exact_mean(&statistics->moments) : nothing), "max",
                     exact_json(any ? statistics->max : nothing), "deviation",
                     json_number(statistics_deviation(statistics)));
}

/* Adds statistics for each split that has rows; text has only counts. */
static void put_statistics(json_t *to, const DataReport *report, const FieldFacts *facts) {
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        if (!dataset_rows(report->session.dataset, split)) continue;
        const Statistics *whole = &facts->whole[split];
        json_t *statistics =
            facts->field.is_text && !facts->dates
                ? json_pack("{s:I, s:I}", "count", (json_int_t)whole->moments.count, "missing",
                            (json_int_t)whole->missing)
                : statistics_json(whole);
        json_t *elements = facts->width > 1 ? json_array() : NULL;
        for (int64_t i = 0; i < facts->width && elements; i++)
            json_array_append_new(elements, statistics_json(&facts->columns[split][i]));
        if (elements) json_object_set_new(statistics, "elements", elements);
        json_object_set_new(to, split_name(split), statistics);
    }
}

static json_t *field_json(const DataReport *report, const FieldFacts *facts) {
    json_t *row = json_array();
    for (int i = 0; i < facts->field.row.rank; i++)
        json_array_append_new(row, json_integer(facts->field.row.dim[i]));
    json_t *field = json_pack("{s:s, s:s, s:o}", "name", facts->field.name, "type",
                              facts->dates           ? "date"
                              : facts->field.numbers ? "classes"
                              : facts->field.is_text ? "text"
                                                     : dtype_name(facts->field.dtype),
                              "row", row);
    if (facts->dates) json_object_set_new(field, "format", json_string(facts->dates));
    put_statistics(field, report, facts);
    return field;
}

static json_t *fields_json(const DataReport *report, FieldFacts *const *fields, uint32_t count,
                           const bool *used) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *field = field_json(report, fields[i]);
        if (used) json_object_set_new(field, "used", json_boolean(used[i]));
        json_array_append_new(list, field);
    }
    return list;
}

/* -- classes, findings, fitted numbers -- */

static json_t *rows_json(const int64_t rows[SPLIT_COUNT]) {
    json_t *splits = json_object();
    for (Split split = 0; split < SPLIT_COUNT; split++)
        json_object_set_new(splits, split_name(split), json_integer(rows[split]));
    return splits;
}

static json_t *class_json(const ClassCounts *counts, int64_t category) {
    json_t *json = json_pack("{s:I}", "class", (json_int_t)category);
    if ((uint64_t)category < counts->field->category_count)
        json_object_set_new(json, "name", json_string(counts->field->categories[category]));
    int64_t rows[SPLIT_COUNT];
    for (Split split = 0; split < SPLIT_COUNT; split++)
        rows[split] = counts->counts[split][category];
    json_object_set_new(json, "rows", rows_json(rows));
    return json;
}

static json_t *classes_json(const DataFacts *facts) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < facts->class_count; i++) {
        const ClassCounts *counts = &facts->classes[i];
        json_t *classes = json_array();
        for (int64_t k = 0; k < counts->classes; k++)
            json_array_append_new(classes, class_json(counts, k));
        json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "field", counts->field->name,
                                              "label", counts->is_label, "classes", classes));
    }
    return list;
}

static json_t *findings_json(const Findings *findings) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < findings->count; i++) {
        const Finding *finding = &findings->items[i];
        json_array_append_new(list, json_pack("{s:s, s:s?, s:I, s:s}", "kind", finding->kind,
                                              "field", finding->field, "count",
                                              (json_int_t)finding->count, "text", finding->text));
    }
    return list;
}

static json_t *fitted_json(const DataReport *report) {
    json_t *object = json_object();
    for (uint32_t i = 0; i < report->fitted_count; i++) {
        json_t *values = json_array();
        for (int64_t k = 0; k < report->fitted[i].count; k++)
            json_array_append_new(values, json_exact(report->fitted[i].values[k]));
        json_object_set_new(object, report->fitted[i].name, values);
    }
    return object;
}

/* -- the first rows -- */

static json_t *element_json(const SourceField *field, ReportElement element) {
    if (element.text) return json_text(element.text);
    bool number = field->dtype == DTYPE_F32 || isnan(element.number.number);
    return number ? exact_json(element.number) : json_integer((json_int_t)element.number.number);
}

/* Stores the elements of a row: a list, or a single value for a scalar field. */
static void put_elements(json_t *to, const SourceField *field, json_t *elements) {
    bool list = field->row.rank > 0;
    json_object_set(to, field->name, list ? elements : json_array_get(elements, 0));
    json_decref(elements);
}

static void put_source(json_t *to, const DataReport *report, uint32_t k, int32_t row) {
    const SourceField *field = &report->facts->fields[k]->field;
    json_t *elements = json_array();
    for (int64_t i = 0; i < shape_elements(field->row); i++)
        json_array_append_new(elements,
                              element_json(field, report_source_element(report, k, row, i)));
    put_elements(to, field, elements);
}

static json_t *row_json(const DataReport *report, int64_t i) {
    const Dataset *dataset = report->session.dataset;
    int32_t row = dataset_split(dataset, report->split)[i];
    json_t *source = json_object(), *fields = json_object();
    for (uint32_t k = 0; k < report->facts->field_count; k++) put_source(source, report, k, row);
    for (uint32_t k = 0; k < report->field_count; k++) {
        const SourceField *field = &report->fields[k]->field;
        json_t *elements = json_array();
        for (int64_t j = 0; j < shape_elements(field->row); j++)
            json_array_append_new(elements,
                                  element_json(field, report_field_element(report, k, i, j)));
        put_elements(fields, field, elements);
    }
    RowPlace place = dataset_row_place(dataset, row);
    json_t *json = json_object();
    if (place.file) json_object_set_new(json, "file", json_string(place.file));
    if (place.row >= 0) json_object_set_new(json, "row", json_integer(place.row));
    if (place.line) json_object_set_new(json, "line", json_integer(place.line));
    json_object_set_new(json, "source", source);
    json_object_set_new(json, "fields", fields);
    return json;
}

void report_print_json(const DataReport *report) {
    const DataFacts *facts = report->facts;
    int64_t rows[SPLIT_COUNT];
    for (Split split = 0; split < SPLIT_COUNT; split++)
        rows[split] = dataset_rows(report->session.dataset, split);
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:o, s:o}", "event", "data", "model", report->session.build.info->name,
        "reader", report->session.build.info->source.reader, "rows", rows_json(rows), "source",
        fields_json(report, facts->fields, facts->field_count, report->used));
    json_object_set_new(all, "fields",
                        fields_json(report, report->fields, report->field_count, NULL));
    json_object_set_new(all, "fitted", fitted_json(report));
    json_object_set_new(all, "classes", classes_json(facts));
    json_object_set_new(all, "findings", findings_json(&facts->findings));
    json_object_set_new(all, "split", json_string(split_name(report->split)));
    json_t *list = json_array();
    for (int64_t i = 0; i < report->displayed; i++)
        json_array_append_new(list, row_json(report, i));
    json_object_set_new(all, "first_rows", list);
    json_print_line(all, stdout);
}
