// SPDX-License-Identifier: MIT
#include "ha-mem.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((gsize)2 << 20)
#define LARGE     (4 * HUGE_PAGE)

/* Arrays in mappings of their own; few, since only large ones are. */
typedef struct {
    gpointer start;
    gsize bytes;
    int fd; /* -1: in memory */
} Block;

static GMutex lock;
static GArray *blocks;  /* Block, under lock */
static char *in_folder; /* owned; NULL: memory */

void
ha_mem_init(void)
{
#ifdef M_MMAP_THRESHOLD
    /* otherwise it rises with what is freed, and then arrays that have been given back stay resident between others */
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
#ifdef M_ARENA_MAX
    /* threads allocate little, and each would reserve 64 MiB of address space, which ulimit -v counts */
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

void
ha_mem_use_folder(const char *folder)
{
    g_free(in_folder);
    in_folder = g_strdup(folder);
}

gboolean
ha_mem_in_folder(void)
{
    return in_folder != NULL;
}

static gboolean
find_block(gpointer start, Block *out, guint *index)
{
    gboolean found = FALSE;
    g_mutex_lock(&lock);
    for (guint i = 0; blocks != NULL && i < blocks->len && !found; i++) {
        found = g_array_index(blocks, Block, i).start == start;
        if (found) {
            *out = g_array_index(blocks, Block, i);
            *index = i;
        }
    }
    g_mutex_unlock(&lock);
    return found;
}

/* Space is taken on disk at once: a page that finds none later would end the program. */
static gpointer
map_file(gsize bytes, int *fd)
{
    g_autofree char *name = g_build_filename(in_folder, ".array-XXXXXX", NULL);
    *fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (*fd < 0)
        return MAP_FAILED;
    (void)unlink(name);
    gpointer start = posix_fallocate(*fd, 0, (off_t)bytes) == 0
                         ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0)
                         : MAP_FAILED;
    if (start == MAP_FAILED)
        close(*fd);
    return start;
}

static gsize
whole_pages(gsize bytes)
{
    return (bytes + 4095) & ~(gsize)4095;
}

/* Begins with a huge page, so that there are some, and that they stay whole when the array moves. */
static gpointer
map_memory(gsize bytes)
{
    bytes = whole_pages(bytes);
    guint8 *start =
        mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return MAP_FAILED;
    gsize before = (HUGE_PAGE - (guintptr)start % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        (void)munmap(start, before);
    (void)munmap(start + before + bytes, HUGE_PAGE - before);
    (void)madvise(start + before, bytes, MADV_HUGEPAGE); /* only a wish */
    return start + before;
}

static gpointer
new_block(gsize bytes)
{
    Block b = {.bytes = bytes, .fd = -1};
    b.start = in_folder != NULL ? map_file(bytes, &b.fd) : map_memory(bytes);
    if (b.start == MAP_FAILED)
        return NULL;
    g_mutex_lock(&lock);
    if (blocks == NULL)
        blocks = g_array_new(FALSE, FALSE, sizeof(Block));
    g_array_append_val(blocks, b);
    g_mutex_unlock(&lock);
    return b.start;
}

static gboolean
free_block(gpointer start)
{
    Block b;
    guint i;
    if (!find_block(start, &b, &i))
        return FALSE;
    (void)munmap(b.start, b.bytes);
    if (b.fd >= 0)
        close(b.fd);
    g_mutex_lock(&lock);
    g_array_remove_index_fast(blocks, i);
    if (blocks->len == 0)
        g_clear_pointer(&blocks, g_array_unref);
    g_mutex_unlock(&lock);
    return TRUE;
}

static gpointer
resize_file(Block b, gsize bytes)
{
    if (bytes > b.bytes && posix_fallocate(b.fd, (off_t)b.bytes, (off_t)(bytes - b.bytes)) != 0)
        return MAP_FAILED;
    gpointer start = mremap(b.start, b.bytes, bytes, MREMAP_MAYMOVE);
    if (start != MAP_FAILED && bytes < b.bytes)
        (void)!ftruncate(b.fd, (off_t)bytes);
    return start;
}

/* Without a copy. Where address space is scarce, since the old place counts beside the new one, without the wish for huge pages. */
static gpointer
resize_memory(Block b, gsize bytes)
{
    gsize old = whole_pages(b.bytes), now = whole_pages(bytes);
    gpointer start = mremap(b.start, old, now, 0);
    if (start != MAP_FAILED)
        return start;
    gpointer to = map_memory(bytes);
    if (to == MAP_FAILED)
        return mremap(b.start, old, now, MREMAP_MAYMOVE);
    start = mremap(b.start, old, now, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    if (start == MAP_FAILED)
        (void)munmap(to, now);
    return start;
}

static gpointer
resize_block(Block b, guint i, gsize bytes)
{
    gpointer start = b.fd >= 0 ? resize_file(b, bytes) : resize_memory(b, bytes);
    if (start == MAP_FAILED)
        return NULL;
    g_mutex_lock(&lock);
    g_array_index(blocks, Block, i).start = start;
    g_array_index(blocks, Block, i).bytes = bytes;
    g_mutex_unlock(&lock);
    return start;
}

/* realloc() for all kinds. */
static gpointer
resize(gpointer old, gsize old_bytes, gsize bytes)
{
    Block b;
    guint i;
    if (old != NULL && find_block(old, &b, &i))
        return resize_block(b, i, bytes);
    if (bytes < LARGE)
        return realloc(old, bytes);
    gpointer p = new_block(bytes);
    if (p != NULL && old != NULL) {
        memcpy(p, old, MIN(old_bytes, bytes));
        free(old);
    }
    return p;
}

gboolean
ha_vec_reserve(HaVec *v, gsize more)
{
    if (more <= v->capacity - v->n)
        return TRUE;
    if (more > G_MAXSSIZE / v->item - v->n)
        return FALSE;
    gsize least = v->n + more, want = MAX(least, v->capacity + v->capacity / 2 + 16);
    if (want > G_MAXSSIZE / v->item)
        want = least;
    gpointer p = resize(v->data, v->n * v->item, want * v->item);
    if (p == NULL && want > least + least / 16) {
        want = least + least / 16; /* more would be quicker; it is address space that lacks */
        p = resize(v->data, v->n * v->item, want * v->item);
    }
    if (p == NULL)
        return FALSE;
    v->data = p;
    v->capacity = want;
    return TRUE;
}

void
ha_vec_clear(HaVec *v)
{
    ha_mem_free(v->data);
    v->data = NULL;
    v->n = v->capacity = 0;
}

void
ha_vec_trim(HaVec *v)
{
    if (v->n == v->capacity || v->n == 0)
        return;
    gpointer p = resize(v->data, v->n * v->item, v->n * v->item);
    if (p != NULL) {
        v->data = p;
        v->capacity = v->n;
    }
}

gpointer
ha_mem_new(gsize n, gsize item)
{
    if (n > G_MAXSSIZE / item)
        return NULL;
    gsize bytes = MAX(n * item, 1);
    return bytes < LARGE ? malloc(bytes) : new_block(bytes);
}

gpointer
ha_mem_new0(gsize n, gsize item)
{
    if (n > G_MAXSSIZE / item)
        return NULL;
    return n * item < LARGE ? calloc(MAX(n, 1), item) : new_block(n * item); /* new mappings are 0 */
}

void
ha_mem_free(gpointer p)
{
    if (p != NULL && !free_block(p))
        free(p);
}
