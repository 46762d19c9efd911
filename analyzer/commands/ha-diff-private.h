// SPDX-License-Identifier: MIT
#pragma once
#include "analyses/ha-growth.h"
#include "cli/ha-command.h"

/* What "diff" prints of it. */
typedef struct {
    HaContext *c;
    HaSurvey *survey;
    const HaMoments *moments;
    const HaGrowth *growth;
    const char *const *names; /* of the dumps */
    const char *filter;       /* NULL: all */
    guint limit;
} HaDiff;

void ha_diff_write_text(const HaDiff *d);
void ha_diff_write_json(const HaDiff *d);

/* The type's name, or the templated path, contains the filter. */
gboolean ha_diff_wants_type(const HaDiff *d, const HaTypeGrowth *row);
gboolean ha_diff_wants_path(const HaDiff *d, const HaPathGrowth *row);
gboolean ha_diff_wants_container(const HaDiff *d, const HaContainerGrowth *row);
