// SPDX-License-Identifier: MIT
#pragma once
/*
 * Indexes on disk: what loading a dump comes to, kept in the user's cache folder ($XDG_CACHE_HOME/heapdump-gdb) so that the next start maps it
 * instead of reading the dump. An index belongs to one dump, known by its size, time and the checksum of its ends, and to one version of this
 * program. It is checked in full like any file: one that is damaged, cut or of another dump is not used, and written anew. The last few are kept.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-dominators.h"
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

typedef struct {
    char *folder, *path; /* owned */
    guint64 dump_size, dump_ends;
    gint64 dump_time; /* ns */
} HaIndexKey;

/* Which index belongs to a dump, whether it is there or not; makes the folder. FALSE: no regular file, or no folder can be made. */
gboolean ha_index_key_init(HaIndexKey *key, const char *dump, GError **error);
void ha_index_key_clear(HaIndexKey *key);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaIndexKey, ha_index_key_clear)

/* The graph, the ledger, which knows the dominators too, and the live objects; NULL: there is no index, or it is not to be used. */
HaGraph *ha_index_open(const HaIndexKey *key, HaLedger **ledger, HaBits **live);
/* dominators: NULL if they are not to be kept. tables: the chunks of the dump but for objects and END, as ha_load_file_for_index() collects them. */
gboolean ha_index_write(const HaIndexKey *key, HaGraph *g, const HaLedger *ledger, const HaBits *live,
                        const HaDominators *dominators, const GByteArray *tables, GError **error);
