// SPDX-License-Identifier: MIT
#include "target.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "error.h"
#include "hint.h"
#include "poke.h"
#include "preflight.h"
#include "procfs.h"

char *
inj_target_proc(const InjTarget *t, const char *name, gsize *n)
{
    return inj_proc_read(t->proc_fd, name, n);
}

static void
module_free(gpointer data)
{
    InjModule *m = data;

    inj_elf_free(m->elf);
    inj_elf_free(m->file);
    g_free(m->path);
    g_free(m);
}

void
inj_target_free(InjTarget *t)
{
    if (t == NULL)
        return;
    const int fds[] = {t->proc_fd, t->root_fd, t->mem_fd};
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    g_free(t->comm);
    g_free(t->exe);
    g_free(t->cmdline);
    g_free(t->tmpdir);
    g_clear_pointer(&t->maps, g_array_unref);
    g_clear_pointer(&t->modules, g_ptr_array_unref);
    g_free(t);
}

/* The command line as one line of valid UTF-8. */
static char *
read_cmdline(const InjTarget *t)
{
    gsize n = 0;
    g_autofree char *raw = inj_target_proc(t, "cmdline", &n);

    if (raw == NULL)
        return g_strdup("");
    while (n > 0 && raw[n - 1] == '\0')
        n--;
    n = MIN(n, (gsize)4096);
    for (gsize i = 0; i < n; i++) {
        if ((guchar)raw[i] < ' ')
            raw[i] = ' ';
    }
    char *valid = g_utf8_make_valid(raw, (gssize)n);
    if (strlen(valid) > 4096)
        *g_utf8_find_prev_char(valid, valid + 4096) = '\0';
    return valid;
}

static char *
read_tmpdir(const InjTarget *t)
{
    gsize n = 0;
    g_autofree char *env = inj_target_proc(t, "environ", &n);

    if (env == NULL)
        return NULL;
    for (const char *p = env; p < env + n; p += strlen(p) + 1) {
        if (g_str_has_prefix(p, "TMPDIR=/"))
            return g_strdup(p + strlen("TMPDIR="));
    }
    return NULL;
}

void
inj_target_reload_status(InjTarget *t)
{
    g_autofree char *status = inj_target_proc(t, "status", NULL);
    guint64 v;

    if (status == NULL)
        return;
    if (inj_status_field(status, "VmRSS", 10, &v))
        t->rss = v * 1024;
    if (inj_status_field(status, "SigCgt", 16, &v))
        t->caught = v;
    if (inj_status_field(status, "SigIgn", 16, &v))
        t->ignored = v;
    if (inj_status_field(status, "ShdPnd", 16, &v))
        t->pending = v;
    if (inj_status_field(status, "SigPnd", 16, &v))
        t->pending |= v;
    t->inner_pid = t->pid;
    const char *p = strstr(status, "\nNStgid:");
    if (p != NULL) {
        g_autofree char *line = g_strndup(p + 1, strcspn(p + 1, "\n"));
        const char *last = strrchr(line, '\t');
        if (last != NULL)
            t->inner_pid = atoi(last + 1);
    }
    p = strstr(status, "\nUid:");
    if (p != NULL) {
        unsigned ids[4];
        if (sscanf(p, "\nUid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4)
            t->uid = ids[3];
    }
    p = strstr(status, "\nGid:");
    if (p != NULL) {
        unsigned ids[4];
        if (sscanf(p, "\nGid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4)
            t->gid = ids[3];
    }
}

/* A file that is mapped from its beginning and has code is a module. */
static void
find_modules(InjTarget *t)
{
    t->modules = g_ptr_array_new_with_free_func(module_free);
    for (guint i = 0; i < t->maps->len; i++) {
        const InjMapping *m = &g_array_index(t->maps, InjMapping, i);
        gboolean code = FALSE;
        if (m->inode == 0 || m->offset != 0 || m->path[0] != '/')
            continue;
        for (guint j = i; j < t->maps->len && j < i + 16 && !code; j++) {
            const InjMapping *k = &g_array_index(t->maps, InjMapping, j);
            if (k->inode == 0)
                continue;
            if (k->inode != m->inode || k->dev_major != m->dev_major || k->dev_minor != m->dev_minor ||
                (j > i && k->offset == 0))
                break;
            code = k->exec;
        }
        if (!code)
            continue;
        InjModule *module = g_new0(InjModule, 1);
        module->path = g_strdup(m->path);
        module->base = m->start;
        module->deleted = m->deleted;
        g_ptr_array_add(t->modules, module);
    }
}

static gboolean
read_maps(InjTarget *t, GError **error)
{
    g_autofree char *text = inj_target_proc(t, "maps", NULL);

    if (text == NULL) {
        inj_preflight_permission(t, "read its memory map", errno, error);
        return FALSE;
    }
    GArray *maps = inj_maps_parse(text, error);
    if (maps == NULL)
        return FALSE;
    g_clear_pointer(&t->maps, g_array_unref);
    t->maps = maps;
    return TRUE;
}

gboolean
inj_target_reload_maps(InjTarget *t, GError **error)
{
    return read_maps(t, error);
}

static gboolean
read_stat(const InjTarget *t, InjStat *st)
{
    g_autofree char *text = inj_target_proc(t, "stat", NULL);

    return text != NULL && inj_stat_parse(text, st);
}

/* The main thread has ended: the process has its memory and files by the others' numbers only. None of them: it is a zombie, as st says. */
static void
view_by_thread(InjTarget *t, InjStat *st)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        g_autofree char *dir = g_strdup_printf("/proc/%d", (int)tid);
        int fd = tid != t->pid ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, old = t->proc_fd;
        if (fd < 0)
            continue;
        t->proc_fd = fd;
        if (read_stat(t, st) && st->state != 'Z' && st->state != 'X') {
            close(old);
            t->view = tid;
            return;
        }
        t->proc_fd = old;
        close(fd);
    }
    if (!read_stat(t, st))
        st->state = 'Z';
}

InjTarget *
inj_target_open(pid_t pid, GError **error)
{
    g_autoptr(InjTarget) t = g_new0(InjTarget, 1);
    g_autofree char *dir = g_strdup_printf("/proc/%d", (int)pid);
    InjStat st;

    t->pid = t->view = pid;
    t->proc_fd = t->root_fd = t->mem_fd = -1;
    t->proc_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->proc_fd < 0 || !read_stat(t, &st)) {
        inj_hint_no_process(pid, error);
        return NULL;
    }
    if (st.state == 'Z')
        view_by_thread(t, &st);
    t->start_time = st.start_time;
    t->comm = inj_target_proc(t, "comm", NULL);
    if (t->comm != NULL)
        g_strchomp(t->comm);
    else
        t->comm = g_strdup("?");
    inj_target_reload_status(t);
    if (!inj_preflight_state(t, &st, error))
        return NULL;
    t->mem_fd = openat(t->proc_fd, "mem", O_RDWR | O_CLOEXEC);
    if (t->mem_fd < 0) {
        inj_preflight_permission(t, "open its memory", errno, error);
        return NULL;
    }
    t->root_fd = openat(t->proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->root_fd < 0) {
        inj_preflight_permission(t, "see its files", errno, error);
        return NULL;
    }
    t->exe = inj_proc_link(t->proc_fd, "exe");
    if (t->exe == NULL)
        t->exe = g_strdup("");
    t->cmdline = read_cmdline(t);
    t->tmpdir = read_tmpdir(t);
    if (!read_maps(t, error))
        return NULL;
    find_modules(t);
    if (!inj_preflight_architecture(t, error))
        return NULL;
    return g_steal_pointer(&t);
}

char
inj_target_state(const InjTarget *t)
{
    InjStat st;

    return read_stat(t, &st) ? st.state : 0;
}

gboolean
inj_target_alive(const InjTarget *t)
{
    char state = inj_target_state(t);

    return state != 0 && state != 'Z' && state != 'X';
}

pid_t
inj_target_tracer(const InjTarget *t)
{
    g_autofree char *status = inj_target_proc(t, "status", NULL);
    guint64 v;

    return status != NULL && inj_status_field(status, "TracerPid", 10, &v) ? (pid_t)v : 0;
}

GArray *
inj_target_threads(const InjTarget *t)
{
    GArray *threads = inj_proc_numbers(t->proc_fd, "task");

    for (guint i = 0; t->view != t->pid && i < threads->len; i++) {
        if (g_array_index(threads, pid_t, i) == t->pid) {
            g_array_remove_index(threads, i);
            break;
        }
    }
    return threads;
}

/* Kernels without the list of children: everything in /proc whose parent it is. */
static void
scan_children(const InjTarget *t, GArray *out)
{
    g_autoptr(GArray) all = inj_proc_numbers(AT_FDCWD, "/proc");

    for (guint i = 0; i < all->len; i++) {
        pid_t pid = g_array_index(all, pid_t, i);
        g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid);
        g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
        InjStat st;
        if (text != NULL && inj_stat_parse(text, &st) && st.ppid == t->pid)
            g_array_append_val(out, pid);
    }
}

GArray *
inj_target_children(const InjTarget *t)
{
    g_autoptr(GArray) threads = inj_target_threads(t);
    GArray *out = g_array_new(FALSE, FALSE, sizeof(pid_t));
    gboolean listed = FALSE;

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *name = g_strdup_printf("task/%d/children", (int)g_array_index(threads, pid_t, i));
        g_autofree char *text = inj_target_proc(t, name, NULL);
        if (text == NULL)
            continue;
        listed = TRUE;
        for (char *p = text, *end;; p = end) {
            long pid = strtol(p, &end, 10);
            if (end == p)
                break;
            pid_t child = (pid_t)pid;
            g_array_append_val(out, child);
        }
    }
    if (!listed && threads->len > 0)
        scan_children(t, out);
    return out;
}

gboolean
inj_target_read(const InjTarget *t, guint64 addr, void *out, gsize n)
{
    while (n > 0) {
        if (addr > G_MAXINT64 - n)
            return FALSE;
        ssize_t r = TEMP_FAILURE_RETRY(pread(t->mem_fd, out, n, (off_t)addr));
        if (r <= 0)
            return FALSE;
        out = (char *)out + r;
        addr += (guint64)r;
        n -= (gsize)r;
    }
    return TRUE;
}

gboolean
inj_target_write(const InjTarget *t, guint64 addr, const void *bytes, gsize n)
{
    while (n > 0) {
        if (addr > G_MAXINT64 - n)
            return FALSE;
        ssize_t r = TEMP_FAILURE_RETRY(pwrite(t->mem_fd, bytes, n, (off_t)addr));
        /* Reading shows that the memory is there and still that of this program: so it is the kernel's policy. */
        char byte;
        if (r < 0 && (errno == EIO || errno == EPERM || errno == EACCES) && inj_target_read(t, addr, &byte, 1))
            return inj_poke(t, addr, bytes, n);
        if (r <= 0)
            return FALSE;
        bytes = (const char *)bytes + r;
        addr += (guint64)r;
        n -= (gsize)r;
    }
    return TRUE;
}

static gboolean
read_memory(void *user, guint64 addr, void *out, gsize n)
{
    return inj_target_read(user, addr, out, n);
}

InjElf *
inj_module_elf(InjTarget *t, InjModule *m)
{
    if (!m->opened) {
        m->opened = TRUE;
        m->elf = inj_elf_open_memory(read_memory, t, m->base, NULL);
        if (m->elf != NULL)
            m->bias = inj_elf_bias(m->elf, m->base);
    }
    return m->elf;
}

/*
 * The file of a module. The kernel's own link to it is best (works when deleted, in every namespace) but wants privileges; else its path under the
 * target's root, links resolved as the target would. Whether it is the right one is told by the header in memory.
 */
static InjElf *
module_file(InjTarget *t, InjModule *m)
{
    const InjMapping *map = inj_maps_find(t->maps, m->base);
    Elf64_Ehdr in_memory, in_file;
    int fd = -1;

    if (m->file_opened)
        return m->file;
    m->file_opened = TRUE;
    if (map != NULL) {
        g_autofree char *name =
            g_strdup_printf("map_files/%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", map->start, map->end);
        fd = openat(t->proc_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0 && strcmp(t->exe, m->path) == 0)
        fd = openat(t->proc_fd, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && !m->deleted) {
        struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_IN_ROOT};
        fd = (int)syscall(SYS_openat2, t->root_fd, m->path, &how, sizeof how);
    }
    if (fd < 0)
        return NULL;
    if (pread(fd, &in_file, sizeof in_file, 0) != sizeof in_file ||
        !inj_target_read(t, m->base, &in_memory, sizeof in_memory) ||
        memcmp(&in_file, &in_memory, sizeof in_file) != 0) {
        close(fd);
        return NULL;
    }
    m->file = inj_elf_open_fd(fd, NULL);
    return m->file;
}

gboolean
inj_module_symbol(InjTarget *t, InjModule *m, const char *name, guint64 *addr)
{
    InjElf *elf = inj_module_elf(t, m);
    InjElfSymbol sym;

    if (elf == NULL)
        return FALSE;
    if (!inj_elf_symbol(elf, name, &sym)) {
        /* Only an image that nothing can be looked up in at run time is worth a search of its file. */
        if (inj_elf_has_dynamic_symbols(elf))
            return FALSE;
        elf = module_file(t, m);
        if (elf == NULL || !inj_elf_symbol(elf, name, &sym))
            return FALSE;
    }
    if (sym.type == STT_GNU_IFUNC)
        return FALSE;
    *addr = sym.value + m->bias;
    return TRUE;
}

/* Lower is searched first. */
static guint
module_rank(const InjTarget *t, const InjModule *m)
{
    const char *name = strrchr(m->path, '/') + 1;

    if (m == t->python.module)
        return 0;
    if (strcmp(m->path, t->exe) == 0)
        return 1;
    if (g_str_has_prefix(name, "libc.so") || g_str_has_prefix(name, "libc-") || g_str_has_prefix(name, "ld-musl"))
        return 2;
    if (g_str_has_prefix(name, "libpthread"))
        return 3;
    if (g_str_has_prefix(name, "ld-linux") || g_str_has_prefix(name, "ld-"))
        return 4;
    return 5;
}

gboolean
inj_target_symbol(InjTarget *t, const char *name, guint64 *addr)
{
    for (guint rank = 0; rank <= 5; rank++) {
        for (guint i = 0; i < t->modules->len; i++) {
            InjModule *m = g_ptr_array_index(t->modules, i);
            if (module_rank(t, m) == rank && inj_module_symbol(t, m, name, addr))
                return TRUE;
        }
    }
    return FALSE;
}
