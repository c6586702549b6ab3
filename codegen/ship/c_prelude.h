/* The beginning of a shipped C source. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_C_PRELUDE_H
#define MLC_CODEGEN_SHIP_C_PRELUDE_H

/* Types, and the arithmetic that C leaves to its compilers and libraries. */
extern const char c_prelude[];
extern const char c_arithmetic[]; /* behind it */

#endif
