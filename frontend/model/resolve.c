/* The text that a run keeps: the model's own text, with every --set written in and every `use`
 * replaced by the text of the file. Loading it gives the same model, even if the files change. */
#include "frontend/model/loading.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A part of a text that is replaced: by a value, or by the text of the file that `use` names. */
typedef struct {
    Span place;
    const char *value;
    const Item *use;
} Edit;

typedef struct {
    Edit *edits;
    uint32_t count;
} Edits;

/* Inserts an edit; they are sorted by place, and edits at the same place keep their order. */
static void add_edit(Edits *edits, Edit edit) {
    uint32_t at = edits->count++;
    for (; at > 0 && edits->edits[at - 1].place.begin > edit.place.begin; at--)
        edits->edits[at] = edits->edits[at - 1];
    edits->edits[at] = edit;
}

static Edits edits_of(const Model *model, const SourceText *text) {
    Edits edits = {
        ARENA_ARRAY(model->arena, Edit, names_count(model->overrides) + model->items.count), 0};
    for (const Item *item = model->items.first; item; item = item->next)
        if (item->kind == ITEM_USE && item->span.file == text->file)
            add_edit(&edits, (Edit){item->span, NULL, item});
    for (uint32_t i = 0; i < names_count(model->overrides); i++) {
        const Override *override = override_find(model, names_all(model->overrides)[i]);
        if (!override->used || override->written.file != text->file) continue;
        const char *value = override->replacement ? override->replacement : override->value_text;
        value = override->adds ? arena_format(model->arena, "\n    %s = %s\n",
                                              strchr(override->name.text, '.') + 1, value)
                               : arena_format(model->arena, "= %s", value);
        add_edit(&edits, (Edit){override->written, value, NULL});
    }
    return edits;
}

static void write_text(const Model *model, const SourceText *text, uint32_t from, FILE *out);

/* Writes the text of an imported file, between comments with its name. */
static void write_used(const Model *model, const SourceText *text, const Item *item, FILE *out) {
    Span name = item->import.name.span;
    const char *written = text->text + name.begin;
    int length = (int)(name.end - name.begin);
    const SourceText *used = item->import.text;
    if (!used) {
        fprintf(out, "# used above: %.*s\n", length, written);
        return;
    }
    fprintf(out, "# begin of %.*s\n", length, written);
    write_text(model, used, used->header_end, out);
    fprintf(out, "\n# end of %.*s\n", length, written);
}

/* Writes a text from byte `from` on, with its edits. */
static void write_text(const Model *model, const SourceText *text, uint32_t from, FILE *out) {
    Edits edits = edits_of(model, text);
    uint32_t at = from;
    for (uint32_t i = 0; i < edits.count; i++) {
        const Edit *edit = &edits.edits[i];
        fwrite(text->text + at, 1, edit->place.begin - at, out);
        if (edit->use)
            write_used(model, text, edit->use, out);
        else
            fputs(edit->value, out);
        at = edit->place.end;
    }
    fwrite(text->text + at, 1, text->length - at, out);
}

const char *texts_resolve(const Model *model) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    write_text(model, model->own_text, 0, stream.out);
    char *written = memory_stream_end(&stream);
    const char *resolved = arena_copy_string(model->arena, written, stream.length);
    free(written);
    return resolved;
}
