/* A source's schema as text, for checkpoints. */
#ifndef MLC_RUNTIME_DATA_SCHEMA_TEXT_H
#define MLC_RUNTIME_DATA_SCHEMA_TEXT_H

#include "ir/data/source.h"

char *schema_write(const SourceSchema *schema); /* malloc'ed JSON */
/* Reads it back, without rows; the memory is the arena's. false if it is not such a text. */
bool schema_read(const char *text, Arena *arena, SourceSchema *schema);

#endif
