// SPDX-License-Identifier: MIT
#pragma once
/* Between ha-suspects*.c. */
#include "analyses/ha-suspects.h"

/* What a container holds: the type that most of its items, or values, are of, and one of these. */
typedef struct {
    guint64 items, of_type;
    guint32 type;      /* index; G_MAXUINT32: nothing is in it */
    HaId sample;       /* HA_ID_NONE */
    guint64 instances; /* keys that are instances of classes of the program */
    HaId key;          /* one of these; HA_ID_NONE */
    gint64 survivors;
} HaInside;

HaInside ha_suspect_inside(const HaSuspectsSpec *spec, HaId container);

/* One that is suspended: it holds what the functions hold that it runs. */
gboolean ha_suspect_is_greenlet(const HaGraph *g, HaId id);

/* Can never have more in it than it may: a largest size says so, or what it holds is held weakly; or is of the interpreter's own. */
gboolean ha_suspect_is_bounded(const HaSuspectsSpec *spec, HaId container, const HaInside *inside);

/* By who holds it, and what is in it. */
void ha_suspect_classify(const HaSuspectsSpec *spec, HaSuspect *suspect, const HaInside *inside);

/* The object from which the way to id goes on, namespaces left out; HA_ID_NONE: the way begins at id. */
HaId ha_suspect_above(const HaSuspectsSpec *spec, HaId id);
/* The same, and the name of the step (".x"), owned by the caller; NULL: none. */
char *ha_suspect_step(const HaSuspectsSpec *spec, HaId id, HaId *from);

/* Fills in the code of all suspects. */
void ha_suspects_find_code(const HaSuspectsSpec *spec, GArray *suspects);
