// SPDX-License-Identifier: MIT
#pragma once
/* Which texts of a picture are not for everybody's eyes. Pure functions, any thread. */
#include <glib.h>

#define HA_CENSORED "[censored]"

/* The type's name starts with one of the prefixes (NULL-terminated; NULL: none). */
gboolean ha_censor_hides_type(const char *const *prefixes, const char *type);
/* A word of the text starts with one of them, dots and slashes being alike: "acme.db" is found in "at /srv/acme/db.py:3". */
gboolean ha_censor_hides_text(const char *const *prefixes, const char *text, gsize n);
