// SPDX-License-Identifier: MIT
#include "ha-path-line.h"

void
ha_json_root(HaJson *j, const HaContext *c, HaId id, const HaHeldBy *held)
{
    g_autofree char *text = ha_held_text(c->graph, c->ledger, id, held);

    ha_json_begin_object(j);
    ha_json_key(j, "kind");
    ha_json_text(j, ha_root_kind_name(held->kind));
    ha_json_key(j, "text");
    ha_json_text(j, text);
    ha_json_key(j, "references"); /* from outside the heap */
    if (held->kind == HA_ROOT_KIND_C)
        ha_json_uint(j, held->surplus);
    else
        ha_json_null(j);
    ha_json_end_object(j);
}

void
ha_json_path_members(HaJson *j, const HaContext *c, const HaPath *path)
{
    gboolean is_expression;
    g_autofree char *text = ha_path_text(c->graph, c->ledger, path, &is_expression);

    g_autofree char *expression = ha_path_expression(c->graph, c->ledger, path);

    ha_json_key(j, "path");
    ha_json_text(j, text);
    ha_json_key(j, "expression");
    ha_json_text(j, expression);
    ha_json_key(j, "root");
    ha_json_root(j, c, g_array_index(path->steps, HaPathStep, 0).id, &path->held);
}
