/* Finds out who has started this process, and opens the plugin of that MPI. A process that was
 * started by hand loads no MPI. */
#include "runtime/peers/mpi.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A row of launchers.def, which explains the columns. */
typedef struct {
    const char *words, *count, *needs, *plugin;
} Launcher;

static const Launcher launchers[] = {
#define LAUNCHER(words, count, needs, plugin) {words, count, needs, plugin},
#include "runtime/peers/launchers.def"
};

/* NULL: this process was started by hand, or alone. */
static const Launcher *find_launcher(int *processes) {
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const char *count = getenv(launchers[i].count);
        *processes = count ? atoi(count) : 1;
        if (*processes > 1 && (!launchers[i].needs || getenv(launchers[i].needs)))
            return &launchers[i];
    }
    *processes = 1;
    return NULL;
}

int mpi_launched(void) {
    int processes;
    find_launcher(&processes);
    return processes;
}

/* -- the plugin -- */

/* Where plugins lie, from the folder of the program. */
static const char *const folders[] = {".", MLC_PLUGIN_FOLDER};

static bool plugin_path(const char *folder, const char *mpi, char path[PATH_MAX]) {
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) return false;
    program[length] = 0;
    int written = snprintf(path, PATH_MAX, "%s/%s/mlc-mpi-%s.so", dirname(program), folder, mpi);
    return written < PATH_MAX && access(path, R_OK) == 0;
}

/* Open MPI opens plugins of its own, which look for its symbols among the global ones. */
static void *open_plugin(const char *mpi, char path[PATH_MAX]) {
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (plugin_path(folders[i], mpi, path)) return dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    *path = 0;
    return NULL;
}

static Transport *refuse_srun(int processes, Diagnostics *diag) {
    diag_error(diag, STATUS_USAGE, (Span){0},
               "srun has started %d processes, but without a way to find each other", processes);
    diag_help(diag, "srun --mpi=pmix, or mpirun, connects them; '--processes 1' trains in each");
    return NULL;
}

static Transport *refuse_plugin(const Launcher *launcher, int processes, const char *path,
                                Diagnostics *diag) {
    if (*path)
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot open '%s': %s", path, dlerror());
    else
        diag_error(diag, STATUS_FILE, (Span){0},
                   "%s has started %d processes, but this mlc has no mlc-mpi-%s.so to connect them",
                   launcher->words, processes, launcher->plugin);
    diag_help(
        diag,
        "mlc builds it where mpicc.%s is installed; 'mlc train --processes N' needs no MPI on one machine",
        launcher->plugin);
    return NULL;
}

/* The usual mistake is to combine the mpirun of one MPI with the library of another. Then every
 * process is alone, and all would write the same files. */
static Transport *refuse_alone(const Launcher *launcher, int processes, int size,
                               Diagnostics *diag) {
    diag_error(diag, STATUS_USAGE, (Span){0},
               "%s has started %d processes, but they find %d: mpirun and MPI do not fit together",
               launcher->words, processes, size);
    diag_help(diag, "use the mpirun of the MPI that is installed: mpirun.openmpi or mpirun.mpich");
    return NULL;
}

Transport *mpi_transport(double patience, Diagnostics *diag) {
    int processes;
    char path[PATH_MAX], reason[TRANSPORT_REASON] = "";
    const Launcher *launcher = find_launcher(&processes);
    if (!launcher->plugin) return refuse_srun(processes, diag);
    void *plugin = open_plugin(launcher->plugin, path);
    void *symbol = plugin ? dlsym(plugin, TRANSPORT_MPI) : NULL;
    if (!symbol) return refuse_plugin(launcher, processes, path, diag);
    TransportMaker *maker;
    memcpy(&maker, &symbol, sizeof maker); /* C has no conversion from void * to a function */
    Transport *transport = maker(patience, reason);
    if (!transport) {
        diag_error(diag, STATUS_FILE, (Span){0}, "%s does not start: %s", launcher->words, reason);
        return NULL;
    }
    if (transport->size == processes) return transport;
    return refuse_alone(launcher, processes, transport->size, diag);
}
