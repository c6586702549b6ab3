/* A source's schema as text, for checkpoints. */
#ifndef MLC_RUNTIME_DATA_SCHEMA_TEXT_H
#define MLC_RUNTIME_DATA_SCHEMA_TEXT_H

#include "ir/data/source.h"

char *schema_write(const SourceSchema *schema); /* malloc'ed JSON */
/* Reads such a text into the arena; the schema has no row counts. false if the text is invalid. */
bool schema_read(const char *text, Arena *arena, SourceSchema *schema);

#endif
