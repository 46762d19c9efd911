// SPDX-License-Identifier: MIT
#include "ha-index.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <heapfile/reader.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-graph-image.h"
#include "graph/ha-mem.h"
#include "load/ha-load.h"

#define MAGIC   "\x89HDINDX\n"
#define VERSION 4u
#define SUFFIX  ".index"
#define ALIGN   ((guint64)4096)
#define END     ((gsize)64 << 10) /* of a dump, in its checksum */
#define PIECE   ((gsize)8 << 20)
#define KEPT    8u
#define DAY     (24 * 60 * 60)
#define WORKERS 4u

enum {
    PART_TABLES = HA_IMAGE_PARTS,
    PART_LEDGER,
    PART_LEDGER_WIDE,
    PART_LIVE,
    PART_NUMBER,
    PART_OBJECT,
    PART_PARENT,
    PART_RETAINED,
    PARTS
};

typedef struct {
    guint64 offset, bytes, checksum;
} Part;

typedef struct {
    char magic[8];
    guint32 version, parts;
    guint64 program; /* checksum of the version of this program */
    guint64 dump_size, dump_ends;
    gint64 dump_time;
    HaImageFacts facts;
    guint64 overdrawn;
    guint32 complete, has_reason;
    guint64 ledger_width;
    char reason[256];
    Part part[PARTS];
    guint64 checksum; /* of all before */
} Header;

static guint64
program_version(void)
{
    return hf_xxh64(HA_VERSION, strlen(HA_VERSION), sizeof(Header));
}

static gboolean
set_errno(GError **error, int code, const char *what, const char *path)
{
    g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO, "cannot %s '%s': %s", what, path, g_strerror(code));
    return FALSE;
}

static gboolean
checksum_ends(HaIndexKey *key, int fd)
{
    g_autofree guint8 *bytes = g_malloc(2 * END);
    gssize first = pread(fd, bytes, END, 0);
    gssize last = pread(fd, bytes + END, END, (off_t)(key->dump_size > END ? key->dump_size - END : 0));
    if (first < 0 || last < 0)
        return FALSE;
    key->dump_ends = hf_xxh64(bytes + END, last, hf_xxh64(bytes, first, 0));
    return TRUE;
}

gboolean
ha_index_key_init(HaIndexKey *key, const char *dump, GError **error)
{
    struct stat facts;
    int fd = open(dump, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    memset(key, 0, sizeof *key);
    if (fd < 0)
        return set_errno(error, errno, "read", dump);
    gboolean ok = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
    key->dump_size = ok ? facts.st_size : 0;
    key->dump_time = ok ? facts.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + facts.st_mtim.tv_nsec : 0;
    ok = ok && checksum_ends(key, fd);
    close(fd);
    if (!ok) {
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO,
                    "--index wants a dump in a file: '%s' is none; copy it into one", dump);
        return FALSE;
    }
    key->folder = g_build_filename(g_get_user_cache_dir(), "heapdump-gdb", NULL);
    if (g_mkdir_with_parents(key->folder, 0700) != 0)
        return set_errno(error, errno, "make the folder for indexes", key->folder);
    guint64 name[] = {key->dump_size, key->dump_time, key->dump_ends, program_version()};
    g_autofree char *file = g_strdup_printf("%016" G_GINT64_MODIFIER "x" SUFFIX, hf_xxh64(name, sizeof name, 0));
    key->path = g_build_filename(key->folder, file, NULL);
    return TRUE;
}

void
ha_index_key_clear(HaIndexKey *key)
{
    g_clear_pointer(&key->folder, g_free);
    g_clear_pointer(&key->path, g_free);
}

static gboolean
is_ours(const Header *h, const HaIndexKey *key, guint64 file_bytes)
{
    if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0 || h->version != VERSION || h->parts != PARTS ||
        h->program != program_version() || h->dump_size != key->dump_size || h->dump_ends != key->dump_ends ||
        h->dump_time != key->dump_time || h->checksum != hf_xxh64(h, G_STRUCT_OFFSET(Header, checksum), 0) ||
        memchr(h->reason, 0, sizeof h->reason) == NULL)
        return FALSE;
    for (guint p = 0; p < PARTS; p++)
        if (h->part[p].offset % ALIGN != 0 || h->part[p].offset > file_bytes ||
            h->part[p].bytes > file_bytes - h->part[p].offset)
            return FALSE;
    return TRUE;
}

typedef struct {
    const Header *header; /* the mapping's start */
    gint next, wrong;     /* atomic */
} Checking;

static gpointer
check_parts(gpointer user)
{
    Checking *c = user;
    for (gint p; (p = g_atomic_int_add(&c->next, 1)) < PARTS;) {
        const Part *part = &c->header->part[p];
        if (hf_xxh64((const guint8 *)c->header + part->offset, part->bytes, p) != part->checksum)
            g_atomic_int_inc(&c->wrong);
    }
    return NULL;
}

static gboolean
checksums_match(const Header *h)
{
    Checking c = {.header = h};
    GThread *threads[WORKERS] = {0};
    guint n = MIN(g_get_num_processors(), WORKERS);
    for (guint t = 1; t < n; t++)
        threads[t] = g_thread_try_new("check", check_parts, &c, NULL);
    check_parts(&c);
    for (guint t = 1; t < n; t++)
        if (threads[t] != NULL)
            g_thread_join(threads[t]);
    return c.wrong == 0;
}

/* FALSE: they are there, and not to be used. */
static gboolean
take_dominators(const Header *h, HaLedger *ledger, const HaBits *live)
{
    const guint8 *start = (const guint8 *)h;
    const Part *p = h->part;
    guint64 nodes = p[PART_OBJECT].bytes / sizeof(HaId);
    if (nodes == 0)
        return TRUE;
    HaKnownDominators known = {nodes,
                               (const void *)(start + p[PART_NUMBER].offset),
                               (const void *)(start + p[PART_OBJECT].offset),
                               (const void *)(start + p[PART_PARENT].offset),
                               (const void *)(start + p[PART_RETAINED].offset),
                               live};
    if (nodes > G_MAXUINT32 || p[PART_NUMBER].bytes != ledger->n * sizeof(guint32) ||
        p[PART_OBJECT].bytes != nodes * sizeof(HaId) || p[PART_PARENT].bytes != nodes * sizeof(guint32) ||
        p[PART_RETAINED].bytes != nodes * sizeof(guint64) || !ha_dominators_are_sound(&known, ledger->n))
        return FALSE;
    ledger->known = known;
    return TRUE;
}

static gboolean
take_ledger(const Header *h, const HaGraph *g, HaLedger **ledger, HaBits **live)
{
    const Part *left = &h->part[PART_LEDGER], *wide = &h->part[PART_LEDGER_WIDE], *bits = &h->part[PART_LIVE];
    guint32 n = h->facts.n;
    gsize words = ((gsize)n + 63) / 64;
    const guint64 *word = (const guint64 *)(const void *)((const guint8 *)h + bits->offset);
    HaColumn column;
    ha_column_init(&column, FALSE);
    if (!ha_column_map(&column, (const guint8 *)h + left->offset, n, h->ledger_width,
                       (const void *)((const guint8 *)h + wide->offset), wide->bytes / sizeof(HaColumnWide)) ||
        left->bytes != n * h->ledger_width || bits->bytes != words * sizeof(guint64) ||
        (n % 64 != 0 && word[words - 1] >> n % 64 != 0))
        return FALSE;
    g_autoptr(HaBits) b = ha_bits_new(n, FALSE);
    if (b == NULL)
        return FALSE;
    if (words > 0)
        memcpy(b->words, word, bits->bytes);
    *ledger = ha_ledger_new_known(g, &column, h->overdrawn);
    *live = g_steal_pointer(&b);
    if (take_dominators(h, *ledger, *live))
        return TRUE;
    g_clear_pointer(ledger, ha_ledger_free);
    g_clear_pointer(live, ha_bits_free);
    return FALSE;
}

static HaGraph *
take(const Header *h, gsize bytes)
{
    HaImagePart parts[HA_IMAGE_PARTS];
    for (guint p = 0; p < HA_IMAGE_PARTS; p++)
        parts[p] = (HaImagePart){(const guint8 *)h + h->part[p].offset, h->part[p].bytes};
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    const Part *tables = &h->part[PART_TABLES];
    if (!ha_load_tables(b, (const guint8 *)h + tables->offset, tables->bytes))
        return NULL;
    if (!h->complete)
        ha_graph_builder_incomplete(b, h->reason, h->has_reason ? -1 : 0);
    return ha_graph_from_image(b, &h->facts, parts, (gpointer)h, bytes);
}

HaGraph *
ha_index_open(const HaIndexKey *key, HaLedger **ledger, HaBits **live)
{
    struct stat facts;
    int fd = open(key->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    gpointer map = MAP_FAILED;
    gsize bytes = 0;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() &&
        (guint64)facts.st_size >= sizeof(Header)) {
        bytes = facts.st_size;
        map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    HaGraph *g = NULL;
    if (map != MAP_FAILED) {
        const Header *h = map;
        if (is_ours(h, key, bytes) && checksums_match(h))
            g = take(h, bytes);
        if (g == NULL)
            (void)munmap(map, bytes);
        else if (!take_ledger(h, g, ledger, live))
            g_clear_pointer(&g, ha_graph_unref);
        else
            (void)futimens(fd, NULL); /* used: among the last to go */
    }
    close(fd);
    return g;
}

static gboolean
write_part(int fd, Part *part, const void *start, guint number, guint64 *at)
{
    *part = (Part){.offset = (*at + ALIGN - 1) / ALIGN * ALIGN, .bytes = part->bytes};
    part->checksum = hf_xxh64(start != NULL ? start : "", part->bytes, number);
    for (guint64 done = 0; done < part->bytes;) {
        gssize n =
            pwrite(fd, (const guint8 *)start + done, MIN(PIECE, part->bytes - done), (off_t)(part->offset + done));
        if (n <= 0) {
            if (n < 0 && errno == EINTR)
                continue;
            return FALSE;
        }
        done += n;
    }
    *at = part->offset + part->bytes;
    return TRUE;
}

static gint
newest_first(gconstpointer a, gconstpointer b)
{
    const struct stat *x = a, *y = b;
    return x->st_mtime < y->st_mtime ? 1 : x->st_mtime > y->st_mtime ? -1 : 0;
}

/* Of finished indexes the last few stay; of those that were never finished, none that is a day old. */
static void
prune(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(struct stat));
    const char *name;
    struct stat facts;
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        if (g_str_has_suffix(name, SUFFIX))
            g_array_append_val(times, facts);
        else if (g_str_has_prefix(name, ".new-") && now - facts.st_mtime > DAY)
            (void)unlink(path);
    }
    if (dir == NULL || times->len <= KEPT)
        return;
    g_array_sort(times, newest_first);
    gint64 last = g_array_index(times, struct stat, KEPT - 1).st_mtime;
    g_dir_rewind(dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, SUFFIX) && lstat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
            facts.st_mtime < last)
            (void)unlink(path);
    }
}

gboolean
ha_index_write(const HaIndexKey *key, HaGraph *g, const HaLedger *ledger, const HaBits *live,
               const HaDominators *dominators, const GByteArray *tables, GError **error)
{
    HaImagePart parts[PARTS] = {0};
    Header h = {.version = VERSION,
                .parts = PARTS,
                .program = program_version(),
                .dump_size = key->dump_size,
                .dump_ends = key->dump_ends,
                .dump_time = key->dump_time,
                .overdrawn = ledger->overdrawn,
                .ledger_width = ledger->left.items.item,
                .complete = ha_graph_complete(g)};
    const char *reason = ha_graph_incomplete_reason(g);
    if (!ha_graph_need_referrers(g, error))
        return FALSE;
    memcpy(h.magic, MAGIC, sizeof h.magic);
    h.has_reason = reason != NULL;
    g_strlcpy(h.reason, reason != NULL ? reason : "", sizeof h.reason);
    ha_graph_image(g, &h.facts, parts);
    parts[PART_TABLES] = (HaImagePart){tables->data, tables->len};
    parts[PART_LEDGER] = (HaImagePart){ledger->left.items.data, ledger->n * ledger->left.items.item};
    parts[PART_LEDGER_WIDE] = (HaImagePart){ledger->left.wide.data, ledger->left.wide.n * sizeof(HaColumnWide)};
    parts[PART_LIVE] = (HaImagePart){live->words, ((gsize)live->n + 63) / 64 * sizeof *live->words};
    if (dominators != NULL) {
        HaKnownDominators known = ha_dominators_known(dominators);
        parts[PART_NUMBER] = (HaImagePart){known.number, ledger->n * sizeof *known.number};
        parts[PART_OBJECT] = (HaImagePart){known.object, known.n * sizeof *known.object};
        parts[PART_PARENT] = (HaImagePart){known.parent, known.n * sizeof *known.parent};
        parts[PART_RETAINED] = (HaImagePart){known.retained, known.n * sizeof *known.retained};
    }

    g_autofree char *name = g_build_filename(key->folder, ".new-XXXXXX", NULL);
    int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_errno(error, errno, "write an index in", key->folder);
    guint64 at = sizeof h;
    gboolean ok = TRUE;
    for (guint p = 0; ok && p < PARTS; p++) {
        h.part[p].bytes = parts[p].bytes;
        ok = write_part(fd, &h.part[p], parts[p].start, p, &at);
    }
    h.checksum = hf_xxh64(&h, G_STRUCT_OFFSET(Header, checksum), 0);
    /* the last part may be empty and begin behind the end */
    ok = ok && ftruncate(fd, (off_t)((at + ALIGN - 1) / ALIGN * ALIGN)) == 0 &&
         pwrite(fd, &h, sizeof h, 0) == (gssize)sizeof h && rename(name, key->path) == 0;
    int code = errno;
    close(fd);
    if (!ok) {
        (void)unlink(name);
        return set_errno(error, code, "write an index in", key->folder);
    }
    prune(key->folder);
    return TRUE;
}
