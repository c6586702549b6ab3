/* The beginning of a shipped C source. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_C_PRELUDE_H
#define MLC_CODEGEN_SHIP_C_PRELUDE_H

/* Types; then functions in which compilers and libraries of C differ. */
extern const char c_prelude[];
extern const char c_arithmetic[];

#endif
