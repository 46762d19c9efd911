// SPDX-License-Identifier: MIT
#pragma once
/*
 * Memory for columns of a graph: every allocation that grows with the dump goes through here and may fail, which becomes a GError
 * rather than an abort. Any thread.
 */
#include <glib.h>

/* A growing array of items of one size. Zero-initialise with item set. */
typedef struct {
    gpointer data; /* owned */
    gsize n, capacity, item;
} HaVec;

gboolean ha_vec_reserve(HaVec *v, gsize more); /* FALSE: no memory, nothing changed */
void ha_vec_clear(HaVec *v);
void ha_vec_trim(HaVec *v); /* gives back what is not used */

/* n × item bytes, huge pages asked for where large; NULL without memory or on overflow. Free with ha_mem_free. */
gpointer ha_mem_new(gsize n, gsize item);
gpointer ha_mem_new0(gsize n, gsize item);
void ha_mem_free(gpointer p);

/* At the start of a program that wants to be as small as its dumps allow. */
void ha_mem_init(void);

/*
 * From now on large arrays lie in files of a folder, which have no name and go with the process: the kernel may put on disk what does not fit.
 * NULL: in memory again, as before. To be called while no other thread allocates.
 */
void ha_mem_use_folder(const char *folder);
gboolean ha_mem_in_folder(void);
