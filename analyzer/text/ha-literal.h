// SPDX-License-Identifier: MIT
#pragma once
/* Objects as Python writes them: for keys in expressions that people paste. Pure functions of a graph. */
#include "graph/ha-graph.h"

/*
 * Appends what evaluates to an equal key: a str, bytes, int, float, bool, None, or a short tuple of these, exactly of these types and with
 * their whole content in the dump. FALSE: cannot be written, nothing was appended.
 */
gboolean ha_literal_append(const HaGraph *g, HaId key, GString *to);

/* A name that can stand behind a dot. */
gboolean ha_is_identifier(const char *text, gsize n);
