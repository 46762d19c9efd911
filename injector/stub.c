// SPDX-License-Identifier: MIT
#include "stub.h"
#include <string.h>

extern const unsigned char inj_ghost_stub[];
extern const size_t inj_ghost_stub_size;

const InjStubTable *
inj_stub_table(void)
{
    static InjStubTable table;

    memcpy(&table, inj_ghost_stub + inj_ghost_stub_size - sizeof table, sizeof table);
    g_assert(table.size <= inj_ghost_stub_size - sizeof table && table.reaper_name + 16 == table.size);
    return &table;
}

char *
inj_stub_ghost_name(const char *nonce)
{
    return g_strdup_printf("hdghost%.8s", nonce);
}

char *
inj_stub_reaper_name(const char *nonce)
{
    return g_strdup_printf("hdreap-%.8s", nonce);
}

GBytes *
inj_stub_build(const InjStubParams *p)
{
    const InjStubTable *t = inj_stub_table();
    g_autofree char *ghost = inj_stub_ghost_name(p->nonce);
    g_autofree char *reaper = inj_stub_reaper_name(p->nonce);
    guint64 unblock = ~(1ull << (p->signal - 1));
    gint32 signal = p->signal;
    gsize n = t->size + strlen(p->file) + 1;
    guint8 *b = g_malloc(n);

    memcpy(b, inj_ghost_stub, t->size);
    strcpy((char *)b + t->size, p->file);
    g_assert(p->stamp != 0 && strlen(ghost) == 15 && strlen(reaper) == 15);
    memcpy(b + t->stamp, &p->stamp, 8);
    memcpy(b + t->map_size, &p->map_size, 8);
    memcpy(b + t->code_size, &p->code_size, 8);
    memcpy(b + t->unblock, &unblock, 8);
    memcpy(b + t->signal, &signal, 4);
    memcpy(b + t->wait, &p->wait_ms, 4);
    memcpy(b + t->ghost_name, ghost, 16);
    memcpy(b + t->reaper_name, reaper, 16);
    return g_bytes_new_take(b, n);
}
