// SPDX-License-Identifier: MIT
#pragma once
/*
 * A picture of objects before it is drawn: plain nodes and edges with raw texts, no layout, no escaping, no heap graph. Filled by
 * ha-heap-picture, made smaller by ha-fold, written by ha-dot. One thread at a time.
 */
#include <glib.h>

typedef enum {
    HA_PIC_CHOSEN = 1 << 0,    /* what the picture is about */
    HA_PIC_HIGHLIGHT = 1 << 1, /* yellow */
    HA_PIC_SOURCE = 1 << 2,    /* a path starts here */
    HA_PIC_ROOT = 1 << 3,      /* held by the interpreter, a thread or a module: nothing to look for beyond it */
    HA_PIC_EXCLUDED = 1 << 4,  /* grey, and not followed */
    HA_PIC_MORE = 1 << 5,      /* stands for objects that are not drawn one by one: "… 12 more" */
    HA_PIC_WEAK = 1 << 6,      /* holds nothing: a weak reference */
    HA_PIC_RED = 1 << 7,       /* edge: on a path from a source */
    HA_PIC_GROUP = 1 << 8,     /* node: its type text says already how many it stands for */
} HaPicFlags;

typedef struct {
    guint64 addr;  /* 0: none, or several */
    guint64 count; /* objects that it stands for, ≥ 1; 0 when it is no object (a thread, a frame) */
    guint64 size;  /* their shallow sizes, bytes; 0 unknown */
    guint level;   /* steps to the nearest chosen one */
    guint flags;   /* HaPicFlags */
    GString *type; /* raw; owned */
    GString *text; /* raw content; owned, may be NULL */
    char *note;    /* small line at the end; owned, may be NULL */
    char *details; /* more lines, for the tooltip; raw bytes without NUL; owned, may be NULL */
} HaPicNode;

typedef struct {
    guint from, to;
    guint flags;
    guint64 count; /* references that it stands for */
    GString *name; /* raw; owned, may be NULL */
} HaPicEdge;

typedef struct {
    GArray *nodes;    /* HaPicNode */
    GArray *edges;    /* HaPicEdge */
    GString *title;   /* raw */
    GPtrArray *notes; /* char *, lines under the title */
} HaPicture;

HaPicture *ha_picture_new(const char *title);
void ha_picture_free(HaPicture *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaPicture, ha_picture_free)

/* Returns the new node's index; texts are copied, type may be NULL. */
guint ha_picture_add_node(HaPicture *p, const char *type, gssize type_len, guint flags, guint level);
HaPicNode *ha_picture_node(const HaPicture *p, guint i);
HaPicEdge *ha_picture_edge(const HaPicture *p, guint i);
/* One reference, or count of them; the same from, to and flags may come again. name may be NULL. */
HaPicEdge *ha_picture_add_edge(HaPicture *p, guint from, guint to, guint flags, guint64 count, const char *name,
                               gssize name_len);
void ha_picture_note(HaPicture *p, const char *format, ...) G_GNUC_PRINTF(2, 3);
