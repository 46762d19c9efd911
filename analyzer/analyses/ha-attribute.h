// SPDX-License-Identifier: MIT
#pragma once
/* Attributes of objects as the dump shows them, without any code of the program: slots, members, namespaces, classes. Any thread. */
#include "graph/ha-graph.h"

/* The first reference of that name (".x", "<mro>"); HA_ID_NONE: there is none. */
HaId ha_named_referent(const HaGraph *g, HaId id, const char *name);

/* What a dict has under a str key; HA_ID_NONE: nothing. */
HaId ha_dict_value(const HaGraph *g, HaId dict, const char *key);

/* object.name as the object itself has it: a slot or member, inline, or in its __dict__; not what its class has. */
HaId ha_attribute(const HaGraph *g, HaId id, const char *name);

/* What the classes of a type object's __mro__ have under a name, the first that has it. */
HaId ha_class_attribute(const HaGraph *g, HaId type, const char *name);

/* The object's content is this text. */
gboolean ha_content_is(const HaGraph *g, HaId id, const char *text);
