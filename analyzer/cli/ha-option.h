// SPDX-License-Identifier: MIT
#pragma once
/*
 * Options of the command line. Tables, not code: the parser, the help and the tests walk them. An option's name must mean the same kind
 * in every table, since options may stand before the command is known.
 */
#include <glib.h>

typedef enum {
    HA_OPTION_FLAG,   /* --json */
    HA_OPTION_TEXT,   /* --filter TEXT; the last one counts */
    HA_OPTION_LIST,   /* the same, all count */
    HA_OPTION_NUMBER, /* --max-depth N, 0 … 2^32 - 2 */
    HA_OPTION_CHOICE, /* --sort shallow|retained: arg lists the choices */
} HaOptionKind;

typedef struct {
    const char *name;  /* "max-depth"; NULL ends a table */
    const char *alias; /* NULL: none */
    char letter;       /* 0: none */
    HaOptionKind kind;
    const char *arg;      /* what the help calls the value; NULL for FLAG */
    const char *fallback; /* value when not given; NULL: none */
    const char *help;
} HaOption;

typedef struct HaOptions HaOptions; /* what was given */

/* Asking for an option that is in no table of the command is a programmer's error. */
gboolean ha_options_flag(const HaOptions *o, const char *name);
const char *ha_options_text(const HaOptions *o, const char *name); /* TEXT, CHOICE; NULL: not given, no fallback */
const char *const *ha_options_list(const HaOptions *o, const char *name); /* NULL-terminated, never NULL */
guint ha_options_number(const HaOptions *o, const char *name);
gboolean ha_options_given(const HaOptions *o, const char *name);
