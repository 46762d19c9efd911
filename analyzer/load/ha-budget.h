// SPDX-License-Identifier: MIT
#pragma once
/*
 * Whether a dump will fit: asked before it is read where its end tells its totals, and while it grows where compression hides them, from how
 * much of the file has given how many objects. For ha-load.c.
 */
#include <glib.h>

typedef struct {
    const char *name;   /* borrowed; for messages */
    int fd;             /* owned: a duplicate, for its position; -1: nothing to go by */
    guint64 file_bytes; /* 0: not a regular file */
    gboolean waived;    /* whatever it takes */
    gboolean for_index; /* reverse references and dominators are wanted too */
    GError *error;      /* owned; why it will not fit */
} HaBudget;

void ha_budget_init(HaBudget *b, const char *name, int fd); /* borrows fd */
void ha_budget_clear(HaBudget *b);
gboolean ha_budget_check_end(HaBudget *b, GError **error); /* FALSE: the totals at the end do not fit */
/* In the middle: so much has been read, decompressed. FALSE: b->error says why. */
gboolean ha_budget_check(HaBudget *b, guint64 objects, guint64 refs, guint64 bytes);
