// SPDX-License-Identifier: MIT
#pragma once
/* How commands write an object: one line of text, or members of a JSON object. */
#include "cli/ha-command.h"
#include "text/ha-json.h"

#define HA_CONTENT_SHOWN        128 /* bytes of content in a line of an object's own */
#define HA_PARENT_CONTENT_SHOWN 60

/* "- {size:8} {address:016x} {type} {content}", no newline. */
void ha_line_object(const HaContext *c, HaId id, gsize content_max);

/* "addr", "type", "size", "real_size", "refcount", "gc", "content", "root" into the JSON object that is open. */
void ha_json_object_members(HaJson *j, const HaContext *c, HaId id);

/* "via .a, [3], … 2 more": the names of the references from one object to another. first is the first of them, count how many. */
char *ha_edge_text(const HaGraph *g, HaId from, HaId to, gsize first, gsize count);

/* The content of an object as JSON: null when there is none. */
void ha_json_content(HaJson *j, const HaGraph *g, HaId id);

/* The member "gc"; null where it is not known. */
void ha_json_gc(HaJson *j, const HaGraph *g, HaId id);

/* The members "ident", "native_id", "main" and "gil" of a thread; null where they are not known. */
void ha_json_thread(HaJson *j, const HaGraph *g, const HaThread *thread);

/* For commands that compare containers: says so where the dump lacks what they count. */
void ha_note_items(const HaContext *c);
