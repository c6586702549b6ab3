/* Code as it was read, and the memory in which it runs. Internal to tests/ptx. */
#ifndef MLC_TESTS_PTX_PTX_CODE_H
#define MLC_TESTS_PTX_PTX_CODE_H

#include "tests/ptx/ptx.h"

enum { PTX_WARP = 32, PTX_OPERANDS = 5, PTX_PARAMETERS = 8 };
/* Addresses in the local memory of a thread have this bit, which no pointer has. */
#define PTX_LOCAL ((uint64_t)1 << 62)
/* Likewise those in the memory of a block. */
#define PTX_SHARED ((uint64_t)1 << 61)

/* Computes one value of the bits of three others. */
typedef uint64_t PtxCompute(uint64_t a, uint64_t b, uint64_t c);

typedef enum {
    PTX_COMPUTE,
    PTX_LOAD,
    PTX_STORE,
    PTX_LOAD_PARAMETER,
    PTX_STORE_PARAMETER,
    PTX_SPECIAL, /* a register such as %tid.x */
    PTX_BRANCH,
    PTX_CALL,
    PTX_RETURN,
    PTX_EXIT,
    PTX_BARRIER, /* of a block */
    PTX_SHUFFLE,
    PTX_ARRIVE, /* red.add to global memory */
    PTX_ACQUIRE /* ld.acquire from global memory */
} PtxKind;

/* Both clocks count the instructions of all warps. */
typedef enum { PTX_TID, PTX_NTID, PTX_CTAID, PTX_NCTAID, PTX_CLOCK, PTX_TIME } PtxRegister;

/* A register, or a number if `slot` is -1. Of an address: register + number. */
typedef struct {
    int32_t slot;
    uint64_t number;
} PtxOperand;

typedef struct {
    PtxKind kind;
    PtxCompute *compute;
    int32_t guard; /* the slot of a predicate; -1: none */
    bool guard_not;
    /* LOAD, STORE: bytes of the element, of how many bytes the address is a multiple, whether the
     * element is signed, and the memory that is named */
    uint8_t bytes, alignment;
    bool is_signed, names_global, names_local, names_shared;
    uint8_t whole;     /* LOAD, STORE: bytes of the vector; 0: not its first element */
    bool ordered;      /* ARRIVE: .release; ACQUIRE: .acquire, else .relaxed */
    bool down;         /* SHUFFLE: .down, else .idx */
    PtxRegister which; /* SPECIAL */
    uint32_t target;   /* BRANCH: instruction; CALL: function; PARAMETER: its number */
    int32_t result;    /* slot */
    PtxOperand in[PTX_OPERANDS];
} PtxInstruction;

typedef struct {
    char *name;
    PtxInstruction *code;
    uint32_t count, capacity;
    uint32_t registers;
    uint32_t local_bytes;
} PtxFunction;

/* A constant in global memory, or an array in the memory of each block (offset: its place
 * there). */
typedef struct {
    char *name;
    unsigned char *bytes; /* NULL: in the memory of a block */
    size_t size, offset;
} PtxGlobal;

struct PtxCode {
    Arena *arena; /* owned */
    PtxFunction *functions;
    uint32_t function_count, function_capacity;
    PtxGlobal *globals;
    uint32_t global_count, global_capacity;
    uint32_t entry, block; /* the kernel, and its threads in a block */
    int parameters;        /* of the kernel */
    size_t shared_bytes;   /* of the memory of a block */
};

/* How often the memory of a block answers a load or a store of `lanes`, of so many bytes each. */
uint32_t ptx_requests(const uint64_t *address, uint32_t lanes, uint32_t bytes);

/* -- memory -- */

/* Who accesses memory, and when: phase counts the barriers that its block has passed. */
typedef struct {
    uint32_t thread, block, phase;
} PtxAccess;

typedef struct PtxMemory PtxMemory;
PtxMemory *ptx_memory_new(const PtxCode *code, const PtxLaunch *launch);
void ptx_memory_free(PtxMemory *memory);
/* known[block * blocks + other]: the phases of another block that have ended before what this block
 * does now. */
uint32_t *ptx_memory_known(PtxMemory *memory);
/* epoch[block]: how many barriers of the grid the block has passed. */
uint32_t *ptx_memory_epoch(PtxMemory *memory);
/* Where an address in the memory of a block lies; 0: outside of it. */
uint64_t ptx_memory_shared(const PtxMemory *memory, uint32_t block, uint64_t address);
/* Checks an access; NULL, or what is wrong with it. */
const char *ptx_memory_check(PtxMemory *memory, uint64_t address, uint32_t bytes, bool store,
                             PtxAccess access);

#endif
