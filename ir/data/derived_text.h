/* The text form of derived columns, for writing and reading their names. Internal to ir/. */
#ifndef MLC_IR_DATA_DERIVED_TEXT_H
#define MLC_IR_DATA_DERIVED_TEXT_H

#include "ir/data/derived.h"

#define DERIVED_DATE_WORD "date"
const char *derived_operator(DerivedKind kind); /* "+", "int" */
bool derived_is_infix(DerivedKind kind);
/* Whether a name can stand without quotes. */
bool derived_is_word(const char *text);

#endif
