/* Measures how many bytes of the stack a call uses, for tests of shipped networks on x86-64. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { STACK_ROOM = 1 << 16 };
static _Alignas(64) unsigned char stack_room[STACK_ROOM];

/* Calls a function of at most four pointers on a stack filled with a known byte. The return address
 * is the first thing on it. The call is repeated with another byte, because what the call writes
 * may equal one of them. */
static size_t stack_use(void *function, void *a, void *b, void *c, void *d) {
    size_t deepest = 0;
    for (int paint = 0x5a; paint <= 0xa5; paint += 0x4b) {
        memset(stack_room, paint, sizeof stack_room);
        void *first = a, *second = b, *called = function;
        register void *third __asm__("rdx") = c;
        register void *fourth __asm__("rcx") = d;
        __asm__ volatile(
            "mov %%rsp, %%rbx\n\tmov %[top], %%rsp\n\tcall *%[function]\n\tmov %%rbx, %%rsp"
            : "+r"(third), "+r"(fourth), "+D"(first), "+S"(second), [function] "+a"(called)
            : [top] "r"(stack_room + sizeof stack_room)
            : "rbx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
              "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
              "xmm14", "xmm15");
        size_t free_bytes = 0;
        while (free_bytes < sizeof stack_room && stack_room[free_bytes] == paint) free_bytes++;
        if (sizeof stack_room - free_bytes > deepest) deepest = sizeof stack_room - free_bytes;
    }
    return deepest;
}
