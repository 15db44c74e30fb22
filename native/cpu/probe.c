/* Does this CPU run the instruction that it lists? Compiled once for each instruction set,
 * with INSTRUCTION as a string of assembly, and run in a process of its own: an instruction
 * that the machine does not run ends it with SIGILL.
 *
 * Exit code 0: it ran. 2: the kernel does not give the registers for it.
 */
#include <string.h>
#include <sys/resource.h>

#ifdef TILES
#include <sys/syscall.h>
#include <unistd.h>

enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };

/* Linux hands out AMX's tile registers on request only. */
static int prepare(void) {
    struct {
        unsigned char palette, start_row, reserved[14];
        unsigned short bytes_a_row[16];
        unsigned char rows[16];
    } config;
    if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) != 0) {
        return 2;
    }
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int tile = 0; tile < 3; ++tile) {
        config.bytes_a_row[tile] = 64;
        config.rows[tile] = 16;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
    return 0;
}
#else
static int prepare(void) { return 0; }
#endif

/* On its own, so that the registers it changes are ones that a caller expects to lose. */
static void __attribute__((noinline)) execute(void) { __asm__ volatile(INSTRUCTION); }

int main(void) {
    /* To die is a result here, and leaves no core file behind. */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    const int refused = prepare();
    if (refused != 0) {
        return refused;
    }
    execute();
    return 0;
}
