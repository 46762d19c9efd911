// SPDX-License-Identifier: MIT
#include "ha-path-template.h"

#include <heapfile/reader.h>
#include <stdlib.h>
#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-memory.h"
#include "text/ha-escape.h"
#include "text/ha-name-template.h"
#include "text/ha-path-text.h"
#include "text/ha-python-shows.h"
#include "text/ha-root-text.h"

enum {
    PERIOD_MAX = 4, /* steps of what repeats: .left.right, .children[*] */
    ITEMS_MAX = 6,  /* containers in containers that are written one by one */
    TEXT_MAX = 400, /* steps that are written */
};

typedef struct {
    guint32 above; /* G_MAXUINT32: a root */
    guint32 step;  /* index into texts */
} Key;

typedef struct {
    Key key;
    guint8 repeats;     /* so many last steps stand once or more */
    gboolean namespace; /* the step leads to a __dict__ */
    guint64 hash;
} Node;

struct HaPathTemplates {
    const HaGraph *g;
    const HaLedger *ledger;
    const HaReach *reach[2]; /* the way to an object; to where that way begins, if not at a root */
    guint32 *known[2];       /* owned, by calloc: template of an object plus 1; untouched pages cost nothing */
    GArray *nodes;           /* Node */
    GHashTable *by_key;      /* guint64 * of above, step (owned) → node plus 1 */
    GPtrArray *texts;        /* char *, owned */
    GHashTable *by_text;     /* the same → index plus 1 */
    GArray *way;             /* HaId */
};

/* Both halves are small numbers that look alike: g_int64_hash() would throw them together. */
static guint
hash_key(gconstpointer key)
{
    return *(const guint64 *)key * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 32;
}

HaPathTemplates *
ha_path_templates_new(const HaGraph *g, const HaLedger *ledger, const HaReach *reach, const HaReach *before,
                      GError **error)
{
    gsize n = (gsize)ha_graph_n_objects(g) + 1;
    HaPathTemplates *t = g_new0(HaPathTemplates, 1);

    t->g = g;
    t->ledger = ledger;
    t->reach[0] = reach;
    t->reach[1] = before;
    t->known[0] = calloc(n, sizeof(guint32));
    t->known[1] = before != NULL ? calloc(n, sizeof(guint32)) : NULL;
    t->nodes = g_array_new(FALSE, FALSE, sizeof(Node));
    t->by_key = g_hash_table_new_full(hash_key, g_int64_equal, g_free, NULL);
    t->texts = g_ptr_array_new_with_free_func(g_free);
    t->by_text = g_hash_table_new(g_str_hash, g_str_equal);
    t->way = g_array_new(FALSE, FALSE, sizeof(HaId));
    if (t->known[0] != NULL && (before == NULL || t->known[1] != NULL))
        return t;
    ha_path_templates_free(t);
    ha_memory_fail(error, "to merge the paths");
    return NULL;
}

void
ha_path_templates_free(HaPathTemplates *t)
{
    if (t == NULL)
        return;
    free(t->known[0]);
    free(t->known[1]);
    g_array_unref(t->nodes);
    g_hash_table_unref(t->by_key);
    g_hash_table_unref(t->by_text);
    g_ptr_array_unref(t->texts);
    g_array_unref(t->way);
    g_free(t);
}

static guint32
text_id(HaPathTemplates *t, const char *text)
{
    gpointer at = g_hash_table_lookup(t->by_text, text);

    if (at == NULL) {
        char *kept = g_strdup(text);
        g_ptr_array_add(t->texts, kept);
        at = GUINT_TO_POINTER(t->texts->len);
        g_hash_table_insert(t->by_text, kept, at);
    }
    return GPOINTER_TO_UINT(at) - 1;
}

static Node *
node(const HaPathTemplates *t, guint32 i)
{
    return &g_array_index(t->nodes, Node, i);
}

/* The last steps are all of containers: so many that they cannot tell much. */
static gboolean
all_items(const HaPathTemplates *t, guint32 at)
{
    guint n = 0;

    for (; n < ITEMS_MAX && ((const char *)t->texts->pdata[node(t, at)->key.step])[0] == '['; n++)
        at = node(t, at)->key.above;
    return n == ITEMS_MAX;
}

/* The last steps up to and with this one repeat those before them: node where these end, else G_MAXUINT32. */
static guint32
repeated(const HaPathTemplates *t, guint32 above, guint32 step, guint8 *period)
{
    for (guint n = 1; n <= PERIOD_MAX; n++) {
        guint32 last[2 * PERIOD_MAX], at = above;
        guint k = 2 * n;

        last[--k] = step;
        for (; k > 0 && at != G_MAXUINT32 && node(t, at)->key.above != G_MAXUINT32; at = node(t, at)->key.above)
            last[--k] = node(t, at)->key.step;
        if (k > 0)
            continue;
        gboolean same = TRUE, items = TRUE;
        for (guint i = 0; i < n; i++) {
            same = same && last[i] == last[n + i];
            items = items && ((const char *)t->texts->pdata[last[i]])[0] == '[';
        }
        if (!same || (items && !all_items(t, above)))
            continue;
        for (guint i = 0; i + 1 < n; i++)
            above = node(t, above)->key.above;
        *period = n;
        return above;
    }
    return G_MAXUINT32;
}

/* A function that runs stands at another line in the next dump: "(<local x> of main (app.py:12))" loses its number. */
static guint64
hash_of(const HaPathTemplates *t, guint32 above, guint32 text)
{
    const char *step = t->texts->pdata[text];
    gsize n = strlen(step);

    if (above == G_MAXUINT32 && g_str_has_suffix(step, "))")) {
        gsize end = n - 2;
        while (end > 0 && g_ascii_isdigit(step[end - 1]))
            end--;
        n = end > 0 && step[end - 1] == ':' ? end : n;
    }
    guint64 hash = hf_xxh64(step, n, above != G_MAXUINT32 ? node(t, above)->hash : 0);
    return MAX(hash, 1);
}

static guint32
step(HaPathTemplates *t, guint32 above, guint32 text, gboolean namespace)
{
    guint64 key = (guint64)above << 32 | text;
    gpointer known = g_hash_table_lookup(t->by_key, &key);
    guint8 period = 0;

    if (known != NULL)
        return GPOINTER_TO_UINT(known) - 1;
    guint32 found = above != G_MAXUINT32 && !namespace ? repeated(t, above, text, &period) : G_MAXUINT32;
    if (found == G_MAXUINT32) {
        Node new = {.key = {above, text}, .namespace = namespace, .hash = hash_of(t, above, text)};
        g_array_append_val(t->nodes, new);
        found = t->nodes->len - 1;
    } else {
        node(t, found)->repeats = period;
    }
    guint64 *kept = g_new(guint64, 1);
    *kept = key;
    g_hash_table_insert(t->by_key, kept, GUINT_TO_POINTER(found + 1));
    return found;
}

guint32
ha_path_template_root(HaPathTemplates *t, HaId id, const HaHeldBy *held)
{
    g_autofree char *text = NULL;

    switch (held->kind) {
    case HA_ROOT_KIND_MODULE:
    case HA_ROOT_KIND_INTERPRETER:
    case HA_ROOT_KIND_FINALIZER:
    case HA_ROOT_KIND_THREAD:
        text = ha_held_text(t->g, t->ledger, id, held);
        break;
    case HA_ROOT_KIND_LOCAL: { /* whichever thread */
        g_autofree char *whole = ha_held_text(t->g, t->ledger, id, held);
        char *thread = g_strrstr(whole, " in thread ");
        text = g_strdup_printf("(%.*s)", thread != NULL ? (int)(thread - whole) : (int)strlen(whole), whole);
        break;
    }
    case HA_ROOT_KIND_STATIC:
    case HA_ROOT_KIND_C:
    case HA_ROOT_KIND_UNKNOWN:
    case HA_ROOT_KIND_COUNT:
    default:
        text = g_strdup_printf("<%s: %s>", ha_root_kind_name(held->kind), ha_graph_type(t->g, id)->name);
        break;
    }
    return step(t, G_MAXUINT32, text_id(t, text), FALSE);
}

guint32
ha_path_template_step(HaPathTemplates *t, guint32 template, HaId from, gsize ref)
{
    HaRefName name;
    g_autofree char *text = NULL;
    g_autoptr(GString) escaped = g_string_new(NULL);
    gboolean namespace = FALSE, inside = node(t, template)->namespace;
    gsize n;
    const char *content;

    ha_graph_ref_name(t->g, from, ref, &name);
    switch ((enum hf_run_kind)name.kind) {
    case HF_RUN_INDEX:
        return step(t, template, text_id(t, "[*]"), FALSE);
    case HF_RUN_MEMBER:
        return step(t, template, text_id(t, "{*}"), FALSE);
    case HF_RUN_NAMED:
        if (strcmp(name.name, ".__dict__") == 0) {
            namespace = TRUE;
            text = g_strdup("");
        } else if (inside && g_str_has_prefix(name.name, "['")) {
            text = g_strdup_printf(".%.*s", (int)MAX(0, (int)strlen(name.name) - 4), name.name + 2);
        } else if (g_str_has_prefix(name.name, "['")) {
            text = g_strdup("[*]");
        } else if (ha_graph_type(t->g, from)->family == HF_FAMILY_TUPLE && name.name[0] == '<') {
            text = g_strdup("[*]");
        } else {
            text = ha_python_part(ha_graph_type(t->g, from)->family, name.name);
            if (text == NULL)
                text = ha_name_template(name.name, strlen(name.name));
        }
        break;
    case HF_RUN_ITEMS:
        if (name.index != 1)
            return step(t, template, text_id(t, "<key>"), FALSE);
        content = name.key != HA_ID_NONE ? ha_graph_content(t->g, name.key, &n) : NULL;
        if (!inside || content == NULL || ha_graph_type(t->g, name.key)->family != HF_FAMILY_STR)
            return step(t, template, text_id(t, "[*]"), FALSE);
        g_string_append_c(escaped, '.');
        ha_escape_append(escaped, content, n, 200, 0);
        text = g_strdup(escaped->str);
        break;
    case HF_RUN_UNNAMED:
    case HF_RUN_KIND_COUNT:
    default:
        text = g_strdup_printf("<reference of %s>", ha_graph_type(t->g, from)->name);
        break;
    }
    return step(t, template, text_id(t, text), namespace);
}

static guint32
template_of(HaPathTemplates *t, guint part, HaId id)
{
    const HaReach *reach = t->reach[part];
    guint32 *known = t->known[part];
    guint begin = t->way->len;
    gsize ref;

    for (HaId at = id; at != HA_ID_NONE && known[at] == 0; at = ha_reach_from(reach, at, &ref))
        g_array_append_val(t->way, at);
    while (t->way->len > begin) {
        HaId at = g_array_index(t->way, HaId, t->way->len - 1), from = ha_reach_from(reach, at, &ref);

        if (from != HA_ID_NONE) {
            known[at] = ha_path_template_step(t, known[from] - 1, from, ref) + 1;
        } else if (part == 0 && t->reach[1] != NULL) {
            known[at] = template_of(t, 1, at) + 1; /* once: the way before begins at a root */
        } else {
            guint32 distance;
            HaHeldBy held = ha_reach_root(t->g, t->ledger, at, &distance);
            known[at] = ha_path_template_root(t, at, &held) + 1;
        }
        g_array_set_size(t->way, t->way->len - 1);
    }
    return known[id] - 1;
}

guint32
ha_path_template_of(HaPathTemplates *t, HaId id)
{
    return template_of(t, 0, id);
}

char *
ha_path_template_text(const HaPathTemplates *t, guint32 template)
{
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(guint32));
    GString *text = g_string_new(NULL);

    for (guint32 at = template; at != G_MAXUINT32; at = node(t, at)->key.above)
        g_array_append_val(way, at);
    for (guint i = way->len; i-- > 0;) {
        const Node *one = node(t, g_array_index(way, guint32, i));

        if (way->len - i > TEXT_MAX / 2 && i > TEXT_MAX / 2) {
            g_string_append_printf(text, "<… %u steps …>", i - TEXT_MAX / 2);
            i = TEXT_MAX / 2 + 1;
            continue;
        }
        /* what repeats stands in parentheses: look ahead for a node that says so */
        for (guint k = 0; k < PERIOD_MAX && k <= i; k++)
            if (node(t, g_array_index(way, guint32, i - k))->repeats == k + 1)
                g_string_append(text, k > 0 ? "(" : "");
        g_string_append(text, t->texts->pdata[one->key.step]);
        if (one->repeats > 0)
            g_string_append(text, one->repeats > 1 ? ")+" : "+");
    }
    return g_string_free(text, FALSE);
}

guint32
ha_path_templates_count(const HaPathTemplates *t)
{
    return t->nodes->len;
}

guint32
ha_path_template_above(const HaPathTemplates *t, guint32 template)
{
    return node(t, template)->key.above;
}

const char *
ha_path_template_last(const HaPathTemplates *t, guint32 template)
{
    return t->texts->pdata[node(t, template)->key.step];
}

guint64
ha_path_template_hash(const HaPathTemplates *t, guint32 template)
{
    return node(t, template)->hash;
}
