/* Event files, from which TensorBoard draws curves: TFRecords with messages of the type Event.
 *
 * Event wall_time (1, double), step (2, int64), file_version (3), summary (5), session_log (7)
 * Summary value (1, repeated) Value tag (1), simple_value (2, float)
 *
 * The messages are those of tensorboard/compat/proto: event.proto and summary.proto. A training
 * writes a new file each time it is started or resumed: events.out.tfevents.NUMBER.mlc. */
#ifndef MLC_CLI_RESULTS_EVENT_FILE_H
#define MLC_CLI_RESULTS_EVENT_FILE_H

#include "engine/files/files.h"
#include "onnx/wire/writer.h"

#include <jansson.h>

typedef struct {
    Diagnostics *diag;
    Path path;
    FILE *file;       /* NULL until opened, and after a failure */
    WireWriter event; /* the event that is being written */
    size_t summary;   /* where the summary of the event begins */
} EventFile;

/* Whether a folder has event files of mlc. */
bool event_files_there(const char *folder);
/* Begins a new file. Events of earlier files after `steps_done` are removed, as these steps will be
 * repeated. A training that begins anew removes all earlier events. `settings`: NULL, or an object
 * of numbers and texts by which TensorBoard's page HParams compares runs. false after reporting an
 * error. */
bool event_file_open(EventFile *events, const char *folder, bool resumes, uint64_t steps_done,
                     const json_t *settings, Diagnostics *diag);
/* An event with the values of a step: event_begin, event_value for each, event_end. A NaN is left
 * out. A failure is reported once; nothing is written afterwards. */
void event_begin(EventFile *events, uint64_t step);
void event_value(EventFile *events, const char *tag, double value);
void event_end(EventFile *events);
void event_file_close(EventFile *events);

#endif
