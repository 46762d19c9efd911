// SPDX-License-Identifier: MIT
#include "ha-mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((gsize)2 << 20)
#define LARGE     (4 * HUGE_PAGE)

/* Arrays in files; few, since only large ones are. */
typedef struct {
    gpointer start;
    gsize bytes;
    int fd;
} Block;

static GMutex lock;
static GArray *blocks;  /* Block, under lock */
static char *in_folder; /* owned; NULL: memory */

void
ha_mem_use_folder(const char *folder)
{
    g_free(in_folder);
    in_folder = g_strdup(folder);
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
new_block(gsize bytes)
{
    Block b = {.bytes = bytes};
    g_autofree char *name = g_build_filename(in_folder, ".array-XXXXXX", NULL);
    b.fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (b.fd < 0)
        return NULL;
    (void)unlink(name);
    b.start = posix_fallocate(b.fd, 0, (off_t)bytes) == 0
                  ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, 0)
                  : MAP_FAILED;
    if (b.start == MAP_FAILED) {
        close(b.fd);
        return NULL;
    }
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
    close(b.fd);
    g_mutex_lock(&lock);
    g_array_remove_index_fast(blocks, i);
    if (blocks->len == 0)
        g_clear_pointer(&blocks, g_array_unref);
    g_mutex_unlock(&lock);
    return TRUE;
}

static gpointer
resize_block(Block b, guint i, gsize bytes)
{
    if (bytes > b.bytes && posix_fallocate(b.fd, (off_t)b.bytes, (off_t)(bytes - b.bytes)) != 0)
        return NULL;
    gpointer start = mremap(b.start, b.bytes, bytes, MREMAP_MAYMOVE);
    if (start == MAP_FAILED)
        return NULL;
    if (bytes < b.bytes)
        (void)!ftruncate(b.fd, (off_t)bytes);
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
    if (in_folder == NULL || bytes < LARGE)
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
    gsize want = MAX(v->n + more, v->capacity + v->capacity / 2 + 16);
    if (want > G_MAXSSIZE / v->item)
        want = v->n + more;
    /* large arrays move by remapping, without a copy */
    gpointer p = resize(v->data, v->n * v->item, want * v->item);
    if (p == NULL)
        return FALSE;
    v->data = p;
    v->capacity = want;
    if (want * v->item >= LARGE && in_folder == NULL) /* a part with advice of its own could not grow */
        (void)madvise((gpointer)(((guintptr)p + 4095) & ~(guintptr)4095), (want * v->item - 4095) & ~(gsize)4095,
                      MADV_HUGEPAGE); /* only a wish */
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
    if (bytes < LARGE)
        return malloc(bytes);
    if (in_folder != NULL)
        return new_block(bytes);
    gpointer p = NULL;
    if (posix_memalign(&p, HUGE_PAGE, bytes) != 0)
        return NULL;
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* only a wish */
    return p;
}

gpointer
ha_mem_new0(gsize n, gsize item)
{
    if (n > G_MAXSSIZE / item)
        return NULL;
    if (n * item < LARGE)
        return calloc(MAX(n, 1), item);
    gpointer p = ha_mem_new(n, item);
    if (p != NULL && in_folder == NULL) /* files are 0 */
        memset(p, 0, n * item);
    return p;
}

void
ha_mem_free(gpointer p)
{
    if (p != NULL && !free_block(p))
        free(p);
}
