// SPDX-License-Identifier: MIT
#include "ha-mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((gsize)2 << 20)
#define LARGE     (4 * HUGE_PAGE)

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
    /* realloc moves large arrays by remapping, without a copy */
    gpointer p = realloc(v->data, want * v->item);
    if (p == NULL)
        return FALSE;
    v->data = p;
    v->capacity = want;
    if (want * v->item >= LARGE)
        (void)madvise((gpointer)(((guintptr)p + 4095) & ~(guintptr)4095), (want * v->item - 4095) & ~(gsize)4095,
                      MADV_HUGEPAGE); /* only a wish */
    return TRUE;
}

void
ha_vec_clear(HaVec *v)
{
    free(v->data);
    v->data = NULL;
    v->n = v->capacity = 0;
}

void
ha_vec_trim(HaVec *v)
{
    if (v->n == v->capacity || v->n == 0)
        return;
    gpointer p = realloc(v->data, v->n * v->item);
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
    if (p != NULL)
        memset(p, 0, n * item);
    return p;
}

void
ha_mem_free(gpointer p)
{
    free(p);
}
