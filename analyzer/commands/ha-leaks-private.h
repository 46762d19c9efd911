// SPDX-License-Identifier: MIT
#pragma once
#include "analyses/ha-suspects.h"
#include "cli/ha-command.h"

/* What "leaks" prints of it. */
typedef struct {
    HaContext *c;
    const HaSuspectsSpec *spec;
    const HaSuspects *suspects;
    guint limit;
} HaLeaks;

void ha_leaks_write_text(const HaLeaks *l);
void ha_leaks_write_json(const HaLeaks *l);

/* A kind of leak in words. */
typedef struct {
    const char *name;   /* "unbounded-cache"; stable, for JSON */
    const char *what;   /* "%s" is where it is */
    const char *units;  /* what piles up: "items" */
    const char *remedy; /* one or two sentences */
} HaLeakWords;
const HaLeakWords *ha_leak_words(HaLeakKind kind);
const char *ha_confidence_name(HaConfidence confidence);

/* The way to what is to be looked at: the holder, or where there is none the sample. FALSE: no way leads there. The path is the caller's. */
gboolean ha_leak_path(const HaLeaks *l, const HaSuspect *s, HaPath *out);
/*
 * What can be pasted into a shell: the holder, or the nearest on the way to it that Python can write, whose id *of is. NULL: there is none.
 * Owned by the caller.
 */
char *ha_leak_expression(const HaLeaks *l, const HaPath *path, HaId *of);
/* When there was none of it, if it always grew as fast as between the dumps: µs since 1970; 0: not known. */
guint64 ha_leak_began(const HaLeaks *l, const HaSuspect *s);
