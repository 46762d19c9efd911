// SPDX-License-Identifier: MIT
#pragma once
/*
 * The selection as tables, for spreadsheets and databases: which columns there are, and their rows one by one. docs/exports.md tells what they
 * mean. Text is printable UTF-8, written as ha-escape.h says, whatever the dump holds. One thread at a time.
 */
#include "analyses/ha-dominators.h"
#include "cli/ha-command.h"

typedef enum {
    HA_TABLE_OBJECTS,
    HA_TABLE_REFS,
    HA_TABLE_TYPES,
    HA_TABLE_ROOTS,
    HA_TABLE_THREADS,
    HA_TABLE_FRAMES,
    HA_TABLE_VARIABLES,
    HA_TABLE_META,
    HA_TABLE_COUNT
} HaTableKind;

#define HA_TABLE_NAMES "objects|refs|types|roots|threads|frames|variables|meta" /* in this order */

typedef enum { HA_FIELD_NUMBER, HA_FIELD_ADDR, HA_FIELD_TEXT } HaFieldKind;

typedef struct {
    const char *name;
    HaFieldKind kind;
} HaField;

#define HA_FIELDS_MAX 20

typedef struct {
    const char *name;
    guint n_fields;
    HaField fields[HA_FIELDS_MAX];
} HaTable;

extern const HaTable ha_tables[HA_TABLE_COUNT];

typedef struct {
    gboolean known; /* FALSE: NULL, an empty field */
    guint64 number; /* NUMBER, ADDR */
    const char *text;
    gsize n; /* bytes of text */
} HaCell;

/* Where rows go. */
typedef struct {
    gboolean (*take)(const HaTable *table, const HaCell *cells, gpointer user, GError **error);
    gpointer user;
    const HaOut *out; /* there is no use in more rows once this has stopped; NULL: always */
} HaRowSink;

typedef struct HaTables HaTables;

HaTables *ha_tables_new(const HaContext *c); /* borrows the context */
void ha_tables_free(HaTables *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaTables, ha_tables_free)

/* All rows of a table. FALSE: no memory, or take() failed. */
gboolean ha_tables_write(HaTables *t, HaTableKind kind, const HaRowSink *sink, GError **error);
