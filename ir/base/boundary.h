/* A boundary around a call, for programs that embed mlc. Where the program `mlc` ends itself, for a
 * lack of memory or a bug, a call inside of a boundary ends instead: all that it has made is given
 * back, and boundary_run says why. Without a boundary, boundary_hold and boundary_drop do nothing.
 *
 * A boundary belongs to one thread at a time. What it holds may be made in one call and given back
 * in a later one. */
#ifndef MLC_IR_BASE_BOUNDARY_H
#define MLC_IR_BASE_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Boundary Boundary;

typedef enum { FAILURE_NONE, FAILURE_MEMORY, FAILURE_BUG } Failure;

/* What a failed call leaves behind. READS: the call changes nothing that earlier calls have made,
 * and only what itself has made is given back. CHANGES: everything that the boundary holds is given
 * back, and the boundary is lost: it takes no further call. */
typedef enum { BOUNDARY_READS, BOUNDARY_CHANGES } BoundaryUse;

Boundary *boundary_new(void); /* NULL without memory */
/* Forgets what the boundary holds, without giving it back. */
void boundary_free(Boundary *boundary);
bool boundary_is_lost(const Boundary *boundary);
/* Calls body(context) inside of the boundary. */
Failure boundary_run(Boundary *boundary, BoundaryUse use, void (*body)(void *context),
                     void *context);
/* The reason for the last failure: "no memory for the weights (1000 bytes)". */
const char *boundary_text(const Boundary *boundary);

/* -- inside -- */

/* Whether the calling thread is inside of a boundary. */
bool boundary_active(void);
/* Ends the call of boundary_run. */
_Noreturn void boundary_leave(Failure failure, const char *text);

/* Something that must be given back if the call fails: `release` then gets it. Objects that are no
 * memory are released first, the newest one before the others. */
typedef void BoundaryRelease(void *object, size_t size);
void boundary_hold(void *object, size_t size, BoundaryRelease *release);
void boundary_drop(void *object, BoundaryRelease *release); /* it has been given back */
void boundary_hold_memory(void *memory);                    /* to be freed by free() */
void boundary_drop_memory(void *memory);

/* What is held from a mark on can be made the process's own: it outlives the boundary. */
uint64_t boundary_mark(void);
void boundary_forget(uint64_t mark);

/* -- code of other languages -- */

/* Between boundary_foreign_begin and boundary_foreign_end runs code of C++, which no jump may
 * leave. A reserve of memory is kept for it: if an allocation fails, boundary_spend_reserve frees
 * the reserve, and the caller tries again. So the code comes to its end, and boundary_foreign_end
 * tells of the failure. If even the reserve is used up, the boundary is left by a jump. Then no
 * code of this kind runs any more in this process, because a lock of it may be held: each later
 * begin fails. What is made in between is not held by the boundary. */

/* false: there is no reserve although `needs_reserve`, or no such code may run any more. */
bool boundary_foreign_begin(bool needs_reserve);
/* true: memory was refused. The caller gives back what the code has made. */
bool boundary_foreign_end(void);
/* Whether there was a reserve, which is now free. */
bool boundary_spend_reserve(void);
/* For a failure that the code reports by itself: memory was refused. False outside of a foreign
 * stretch. */
bool boundary_foreign_refused(void);

#endif
