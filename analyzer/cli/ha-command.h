// SPDX-License-Identifier: MIT
#pragma once
/*
 * A command of heapanalyze: a row of the table in ha-command-table.c. The program reads the command line, loads the dump, works out
 * which objects are meant, then calls run(). A command writes its answer to out and nothing else; what it wants to say beside goes
 * to stderr through ha_note().
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-garbage.h"
#include "cli/ha-option.h"
#include "cli/ha-out.h"
#include "graph/ha-graph.h"

/* What is left of another dump once it was looked at. */
typedef struct {
    const char *role; /* the option that named it, "previous-heap-dump" …; NULL: an argument */
    const char *path; /* borrowed */
    gpointer memory;  /* what the command's remember() gave; owned by the program */
} HaOther;

typedef struct {
    HaGraph *graph;         /* borrowed, as all below */
    const char *dump_name;  /* for messages */
    const HaLedger *ledger; /* surplus of every object: what holds it from outside */
    const HaBits *live;     /* what a collection would leave; all objects with --garbage */
    const HaBits *chosen;   /* live, and as the dump options want it */
    HaGraph *previous;      /* HA_COMMAND_COMPARES: the last --previous-heap-dump, else NULL */
    const HaBits *previous_live;
    const GPtrArray
        *others; /* HaOther, for commands that remember(), in the order of the command line: arguments, then options */
    const HaOptions *options;
    const char *const *args; /* positional arguments but for the dump, NULL-terminated; min_args … max_args of them */
    HaOut *out;
} HaContext;

enum {
    HA_COMMAND_COMPARES = 1 << 0,    /* --previous-heap-dump is handed over instead of narrowing the choice */
    HA_COMMAND_REMEMBERS = 1 << 1,   /* --previous-heap-dump is but remembered: no two graphs are in memory for it */
    HA_COMMAND_DUMPS = 1 << 2,       /* all arguments are dumps, and the last one is the one that is meant */
    HA_COMMAND_EXPRESSIONS = 1 << 3, /* arguments have parentheses; a last one that has none is the dump */
};

typedef struct {
    const char *name;
    const char *summary; /* one line, for the list of commands */
    const char *args;    /* "ADDR"; NULL: none but the dump */
    guint min_args, max_args;
    guint flags;
    const char *notes;       /* lines of the help before the options; NULL: none */
    const char *examples;    /* lines, shown below "Examples:" with two blanks in front */
    const HaOption *options; /* ends with name NULL; those of every command need not be in it */
    /* What is wrong whatever the dump holds, before that is loaded: HA_ERROR_USAGE. NULL: nothing to check. */
    gboolean (*check)(const HaOptions *options, const char *const *args, GError **error);
    gboolean (*run)(HaContext *context, GError **error);
    /* For each other dump while it is there: what is wanted of it; NULL: error. Both NULL: nothing is. */
    gpointer (*remember)(const HaContext *other, GError **error);
    void (*forget)(gpointer memory);
} HaCommand;

typedef enum {
    HA_ERROR_FAILED, /* exit 1 */
    HA_ERROR_USAGE,  /* exit 2 */
} HaError;
#define HA_ERROR (ha_error_quark())
GQuark ha_error_quark(void);

extern const HaCommand *const ha_commands[]; /* NULL-terminated */

/* "heapanalyze: …" on stderr. */
void ha_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
