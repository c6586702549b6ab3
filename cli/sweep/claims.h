/* A claim says which process trains a trial. It is a file that only one process can make (O_EXCL,
 * which network file systems support too), with the name of that process. A claim is given up when
 * its process has ended, or, for a process of another machine, when nobody has touched the file for
 * CLAIM_SECONDS. */
#ifndef MLC_CLI_SWEEP_CLAIMS_H
#define MLC_CLI_SWEEP_CLAIMS_H

#include <stdbool.h>

enum {
    CLAIM_SECONDS = 300,
    CLAIM_TOUCH = 30, /* seconds between two touches */
    CLAIM_HOST = 128  /* characters of a host's name */
};

typedef enum { CLAIM_TAKEN, CLAIM_HELD, CLAIM_FAILED } ClaimResult;

/* Makes the file `path` for this process. CLAIM_HELD: another process has it. CLAIM_FAILED: errno
 * says why it cannot be made. */
ClaimResult claim_take(const char *path);
/* Whether a process of another machine has the claim. The name of its host is then in `host`. */
bool claim_is_remote(const char *path, char host[CLAIM_HOST]);
void claim_touch(const char *path);
void claim_release(const char *path);

#endif
