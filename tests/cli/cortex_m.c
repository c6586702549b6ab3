/* The smallest startup code of a Cortex-M with an FPU: it switches the FPU on, gives variables
 * their values and calls main. Output and exit go through the emulator. */
#include <stdlib.h>
extern char stack_top[], data_from[], data_begin[], data_end[], bss_begin[], bss_end[];
extern void initialise_monitor_handles(void);
int main(void);
__attribute__((used)) static void begin(void) {
    for (char *to = data_begin, *from = data_from; to < data_end;) *to++ = *from++;
    for (char *to = bss_begin; to < bss_end;) *to++ = 0;
    initialise_monitor_handles();
    exit(main());
}
__attribute__((naked, used)) void reset(void) {
    __asm__(
        "ldr r0, =0xE000ED88\n\tldr r1, [r0]\n\torr r1, r1, #0xF00000\n\tstr r1, [r0]\n\tdsb\n\tisb\n\tb begin\n\t.ltorg");
}
static void stop(void) { _Exit(99); }
__attribute__((section(".vectors"), used)) void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, stop, stop, stop, stop, stop};
void _init(void) {}
void _fini(void) {}
