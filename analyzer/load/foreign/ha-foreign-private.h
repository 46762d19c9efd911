// SPDX-License-Identifier: MIT
#pragma once
/* What the readers of other tools' dumps share: types by address, and rows whose references come in pieces. */
#include "load/foreign/ha-bytes.h"
#include "load/foreign/ha-foreign.h"

#define HA_FOREIGN_PIECE        4096u /* references that go to the builder at once */
#define HA_FOREIGN_ADDRESS_BITS 56    /* of a process, with five levels of page tables */

typedef struct {
    HaBytes bytes;
    HaGraphBuilder *builder; /* borrowed */
    guint64 *position;       /* borrowed */
    GHashTable *types;       /* owned; address → index of the builder's type */
    guint64 last_type;       /* most objects have the type of the one before */
    guint32 last_index;
    guint32 str_type; /* index of builtins.str; 0: not met yet */
    guint64 objects;
    gboolean stopped, unsupported;
    /* an object whose references are still to come */
    gboolean open;   /* there is one */
    gboolean begun;  /* the builder has it, and some references */
    gboolean listed; /* its references came: a second list is wrong */
    struct hf_object_row row;
    GString *content; /* owned */
} HaForeign;

/* Hash of bytes that no file can foresee. */
guint ha_foreign_hash(gconstpointer bytes, gsize n);
/* For tables whose keys are addresses as pointers. */
guint ha_foreign_hash_address(gconstpointer address);

/* FALSE with a problem noted: no object can stand there. what: "an object", … */
gboolean ha_foreign_check_address(HaForeign *f, guint64 addr, const char *what);

/* A new type; FALSE: it was there before. */
gboolean ha_foreign_add_type(HaForeign *f, guint64 addr, const char *name, gsize n);
gboolean ha_foreign_find_type(HaForeign *f, guint64 addr, guint32 *index);

/*
 * Begins an object, then says what more is known of it. Contents are copied; limit: characters at which the tool cuts them, where the size does not tell that
 * all is there. References may come in pieces. FALSE: no use in going on.
 */
gboolean ha_foreign_begin(HaForeign *f, guint64 addr, guint32 type, guint64 size, gboolean tracked, guint32 layout);
void ha_foreign_content(HaForeign *f, const char *content, gsize n, guint limit);
gboolean ha_foreign_refs(HaForeign *f, const guint64 *refs, gsize n);
/* Closes the object, if there is one. broken: its references are not all there. */
gboolean ha_foreign_end(HaForeign *f, gboolean broken);

/* The readers: TRUE when the whole is there and nothing follows; else f or its bytes tell why. */
gboolean ha_foreign_dump_heap_struct(HaForeign *f);
gboolean ha_foreign_dump_heap_msgpack(HaForeign *f);
gboolean ha_foreign_pyheap(HaForeign *f);
