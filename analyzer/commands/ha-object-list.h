// SPDX-License-Identifier: MIT
#pragma once
/*
 * Lists of objects as people type them: "0x7f12…,00007f34…,!0x7f56…,app.Session". Addresses with or without 0x, types by name; "!" in
 * front takes out instead.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-type-match.h"
#include "graph/ha-graph.h"

typedef struct {
    HaBits *in;      /* owned; NULL when the list names none */
    HaBits *out;     /* owned; those with "!"; NULL when there are none */
    guint addresses; /* how many of the names without "!" were addresses */
} HaObjectList;

typedef struct {
    HaGraph *graph;
    const char *dump_name;
    const char *option;   /* "--filter", for messages */
    const HaBits *live;   /* an address of anything else is an error */
    const HaBits *chosen; /* objects of a type are taken from these */
    HaMatch match;        /* of types without "!" */
    gboolean without;     /* "!" is allowed */
} HaObjectListSpec;

/* FALSE and HA_ERROR_FAILED, with what the address lies in if that is known. text is how it was given. */
gboolean ha_no_object_at(const HaGraph *g, const char *dump_name, const char *text, guint64 addr, GError **error);

/* HA_ERROR_USAGE: wrong syntax; HA_ERROR_FAILED: nothing there, with what to do. text NULL: empty lists. */
gboolean ha_object_list_parse(HaObjectList *list, const HaObjectListSpec *spec, const char *text, GError **error);
void ha_object_list_clear(HaObjectList *list);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaObjectList, ha_object_list_clear)
