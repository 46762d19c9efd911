// SPDX-License-Identifier: MIT
#include "ha-pipe.h"

#include <string.h>

#define BLOCKS 4
#define BLOCK  ((gsize)1 << 20)

struct HaPipe {
    hf_source_fn source;
    void *user;
    GThread *thread;
    GMutex lock;
    GCond changed;
    /* under lock */
    gsize filled, taken; /* blocks so far; filled - taken ≤ BLOCKS */
    gboolean stop;
    /* block k % BLOCKS belongs to the thread while k == filled, to the reader while taken ≤ k < filled */
    guint8 *bytes;       /* owned, BLOCKS × BLOCK */
    long length[BLOCKS]; /* 0: the end; -1: failed */
    gsize at;            /* the reader's: how much of its block is used */
};

static gpointer
fetch(gpointer data)
{
    HaPipe *p = data;
    for (gsize k = 0;; k++) {
        g_mutex_lock(&p->lock);
        while (!p->stop && p->filled - p->taken == BLOCKS)
            g_cond_wait(&p->changed, &p->lock);
        gboolean stop = p->stop;
        g_mutex_unlock(&p->lock);
        if (stop)
            return NULL;
        long n = p->source(p->user, p->bytes + k % BLOCKS * BLOCK, BLOCK);
        p->length[k % BLOCKS] = n;
        g_mutex_lock(&p->lock);
        p->filled++;
        g_cond_signal(&p->changed);
        g_mutex_unlock(&p->lock);
        if (n <= 0)
            return NULL;
    }
}

HaPipe *
ha_pipe_new(hf_source_fn source, void *user)
{
    HaPipe *p = g_new0(HaPipe, 1);
    p->source = source;
    p->user = user;
    p->bytes = g_malloc(BLOCKS * BLOCK);
    g_mutex_init(&p->lock);
    g_cond_init(&p->changed);
    p->thread = g_thread_new("read-ahead", fetch, p);
    return p;
}

void
ha_pipe_free(HaPipe *p)
{
    if (p == NULL)
        return;
    g_mutex_lock(&p->lock);
    p->stop = TRUE;
    g_cond_signal(&p->changed);
    g_mutex_unlock(&p->lock);
    g_thread_join(p->thread);
    g_mutex_clear(&p->lock);
    g_cond_clear(&p->changed);
    g_free(p->bytes);
    g_free(p);
}

long
ha_pipe_read(void *pipe, void *bytes, size_t n)
{
    HaPipe *p = pipe;
    g_mutex_lock(&p->lock);
    while (p->filled == p->taken)
        g_cond_wait(&p->changed, &p->lock);
    g_mutex_unlock(&p->lock);
    gsize k = p->taken % BLOCKS;
    if (p->length[k] <= 0)
        return p->length[k]; /* stays there for the next call */
    gsize take = MIN(n, (gsize)p->length[k] - p->at);
    memcpy(bytes, p->bytes + k * BLOCK + p->at, take);
    p->at += take;
    if (p->at == (gsize)p->length[k]) {
        p->at = 0;
        g_mutex_lock(&p->lock);
        p->taken++;
        g_cond_signal(&p->changed);
        g_mutex_unlock(&p->lock);
    }
    return take;
}
