// SPDX-License-Identifier: MIT
#include "render/ha-layout-private.h"

#include <dlfcn.h>
#include <graphviz/gvc.h>
#include <graphviz/gvplugin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sanitizers reserve terabytes of address space. */
#ifdef __has_feature
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/*
 * Everything here runs in the child, after the exec: it is the one place that touches libgvc. Graphviz's plugins are opened by
 * ourselves and handed over as a table, which needs no plugin configuration on the machine and starts in a fraction of the time.
 */

static int
ignore_message(char *message)
{
    (void)message;
    return 0;
}

static void
limit(int what, guint64 most)
{
    struct rlimit r;

    if (getrlimit(what, &r) != 0)
        return;
    r.rlim_cur = MIN((rlim_t)most, r.rlim_max);
    setrlimit(what, &r);
}

static void
set_limits(guint seconds, guint64 memory)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1)
        _exit(HA_LAYOUT_EXIT_FAILED); /* the parent was gone before the line above */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds);
    limit(RLIMIT_FSIZE, HA_LAYOUT_OUTPUT_MAX);
    if (!SANITIZED)
        limit(RLIMIT_AS, memory);
}

/* Folder of Graphviz's plugins: "graphviz" beside libgvc itself. */
static char *
plugin_dir(void)
{
    Dl_info info;

    if (!dladdr((void *)(gsize)gvContextPlugins, &info) || !info.dli_fname)
        return NULL;
    g_autofree char *lib = g_path_get_dirname(info.dli_fname);
    return g_build_filename(lib, "graphviz", NULL);
}

/* NULL when there is no such plugin. The version in the file's name is Graphviz's own business: the first that opens is taken. */
static void *
open_plugin(const char *dir, const char *name)
{
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    g_autofree char *prefix = g_strdup_printf("libgvplugin_%s.so", name);
    g_autofree char *symbol = g_strdup_printf("gvplugin_%s_LTX_library", name);
    const char *entry;

    while (d && (entry = g_dir_read_name(d))) {
        if (!g_str_has_prefix(entry, prefix))
            continue;
        g_autofree char *path = g_build_filename(dir, entry, NULL);
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        void *table = lib ? dlsym(lib, symbol) : NULL;
        if (table)
            return table;
    }
    return NULL;
}

static GVC_t *
open_context(const char *format)
{
    static const char *const names[] = {"dot_layout", "core", "pango"};
    static lt_symlist_t table[G_N_ELEMENTS(names) + 1]; /* libgvc keeps the pointer */
    static char symbols[G_N_ELEMENTS(names)][64];
    guint wanted = strcmp(format, "svg") == 0 ? 2 : 3, have = 0;
    g_autofree char *dir = plugin_dir();

    for (guint i = 0; i < wanted; i++) {
        void *plugin = dir ? open_plugin(dir, names[i]) : NULL;
        if (!plugin)
            continue;
        g_snprintf(symbols[have], sizeof symbols[have], "gvplugin_%s_LTX_library", names[i]);
        table[have] = (lt_symlist_t){symbols[have], plugin};
        have++;
    }
    if (have == wanted)
        return gvContextPlugins(table, FALSE);
    /* Installed in a way that we do not know: Graphviz's own configuration may still find it. */
    return gvContext();
}

static gboolean
has_plugin(GVC_t *gvc, const char *kind, const char *name)
{
    int n = 0;
    char **list = gvPluginList(gvc, kind, &n, NULL);
    gboolean found = FALSE;

    for (int i = 0; i < n; i++) {
        found |= strcmp(list[i], name) == 0;
        free(list[i]);
    }
    free(list);
    return found;
}

static int
draw(const char *format)
{
    g_autofree char *renderer = NULL;
    g_autofree char *dot = NULL;
    gsize size = 0;
    GVC_t *gvc;

    if (!g_file_get_contents("/proc/self/fd/0", &dot, &size, NULL)) {
        fprintf(stderr, "cannot read the graph\n");
        return HA_LAYOUT_EXIT_FAILED;
    }
    agseterrf(ignore_message);
    gvc = open_context(format);
    if (!gvc || !has_plugin(gvc, "layout", "dot")) {
        fprintf(stderr, "Graphviz's layout plugin is missing; install Graphviz (Debian: libgvc6)\n");
        return HA_LAYOUT_EXIT_PLUGIN;
    }
    if (!has_plugin(gvc, "device", format)) {
        fprintf(stderr, "this Graphviz cannot write %s (its pango/cairo plugin is missing); use -o FILE.svg\n", format);
        return HA_LAYOUT_EXIT_PLUGIN;
    }
    /* Without the plugin's name a later one (gd, rsvg) could be taken. */
    renderer = g_strdup_printf(strcmp(format, "svg") == 0 ? "%s:svg:core" : "%s:cairo:cairo", format);
    Agraph_t *g = agmemread(dot);
    if (!g) {
        fprintf(stderr, "the graph's text is wrong\n");
        return HA_LAYOUT_EXIT_FAILED;
    }
    if (gvLayout(gvc, g, "dot") != 0) {
        fprintf(stderr, "no layout for this graph\n");
        return HA_LAYOUT_EXIT_FAILED;
    }
    if ((gvRender(gvc, g, renderer, stdout) != 0 && gvRender(gvc, g, format, stdout) != 0) || fflush(stdout) != 0) {
        fprintf(stderr, "cannot write %s\n", format);
        return HA_LAYOUT_EXIT_FAILED;
    }
    return HA_LAYOUT_EXIT_OK;
}

void
ha_layout_child(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], HA_LAYOUT_CHILD_ARGUMENT) != 0)
        return;
    set_limits((guint)g_ascii_strtoull(argv[3], NULL, 10), g_ascii_strtoull(argv[4], NULL, 10));
    int status = draw(argv[2]);
    fflush(stderr);
    _exit(status); /* taking the graph apart piece by piece would cost as much as it took to build */
}
