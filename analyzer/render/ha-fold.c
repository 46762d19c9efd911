// SPDX-License-Identifier: MIT
#include "render/ha-fold.h"

#include "render/ha-text.h"
#include "text/ha-name-template.h"

#include <string.h>

enum {
    LISTED = 12,    /* members that a folded node names in its tooltip */
    NAMES_KEPT = 3, /* different names between two nodes; more become templates */
    KEPT_APART = HA_PIC_CHOSEN | HA_PIC_SOURCE | HA_PIC_ROOT,
};

typedef struct {
    const HaPicture *in;
    guint level;
    guint *class_of; /* by node; owned */
    guint n_classes;
    guint *class_size;  /* by class, members; owned */
    gboolean *red;      /* by node: a red edge touches it; owned */
    GArray **out_edges; /* by node: guint, indices of edges; owned */
} Fold;

static void
fold_clear(Fold *f)
{
    for (guint i = 0; i < f->in->nodes->len; i++)
        g_array_unref(f->out_edges[i]);
    g_free(f->out_edges);
    g_free(f->class_of);
    g_free(f->class_size);
    g_free(f->red);
}

static int
compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
append_bytes(GString *key, const GString *s)
{
    g_string_append_printf(key, "%" G_GSIZE_FORMAT ":", s ? s->len : 0);
    if (s)
        g_string_append_len(key, s->str, (gssize)s->len);
}

/* What a node refers to nearer to the chosen ones, with names as templates: equal for siblings. */
static void
append_targets(GString *key, const Fold *f, guint node)
{
    const GArray *edges = f->out_edges[node];
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(f->in, g_array_index(edges, guint, i));
        const HaPicNode *to = ha_picture_node(f->in, e->to);

        if (to->level >= ha_picture_node(f->in, node)->level)
            continue; /* has no class yet */
        g_autofree char *t = ha_name_template(e->name ? e->name->str : "", e->name ? e->name->len : 0);
        g_ptr_array_add(parts, g_strdup_printf("%u %u %s", f->class_of[e->to], e->flags, t));
    }
    g_ptr_array_sort(parts, compare_text);
    for (guint i = 0; i < parts->len; i++)
        if (i == 0 || strcmp(g_ptr_array_index(parts, i - 1), g_ptr_array_index(parts, i)) != 0)
            g_string_append_printf(key, "|%s", (char *)g_ptr_array_index(parts, i));
}

static GBytes *
class_key(const Fold *f, guint i)
{
    const HaPicNode *n = ha_picture_node(f->in, i);
    GString *key = g_string_new(NULL);

    if (f->level <= 2 && (n->flags & KEPT_APART || f->red[i]))
        g_string_append_printf(key, "apart %u", i);
    else {
        g_string_append_printf(key, "%u %d ", n->flags, f->red[i]);
        if (f->level <= 4)
            append_bytes(key, n->type);
        if (f->level != 4 && f->level != 6)
            g_string_append_printf(key, " at %u", n->level);
        if (f->level <= 2)
            append_targets(key, f, i);
    }
    gsize len = key->len;
    return g_bytes_new_take(g_string_free(key, FALSE), len);
}

static int
compare_levels(gconstpointer a, gconstpointer b, gpointer data)
{
    const HaPicture *p = data;
    guint i = *(const guint *)a, k = *(const guint *)b;
    guint li = ha_picture_node(p, i)->level, lk = ha_picture_node(p, k)->level;

    return li != lk ? (li < lk ? -1 : 1) : i < k ? -1 : i > k;
}

/* Nearest nodes first, a distance at a time: those below have their final class when the keys of the next are made. */
static void
classify(Fold *f)
{
    guint n = f->in->nodes->len;
    guint least = f->level == 1 ? 4 : 2;
    g_autofree guint *order = g_new(guint, n);

    for (guint i = 0; i < n; i++)
        order[i] = i;
    g_qsort_with_data(order, (gint)n, sizeof *order, compare_levels, (gpointer)f->in);
    g_autoptr(GHashTable) classes =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    for (guint start = 0; start < n;) {
        guint end = start;
        g_autoptr(GHashTable) sizes =
            g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

        if (f->level <= 2)
            while (end < n && ha_picture_node(f->in, order[end])->level == ha_picture_node(f->in, order[start])->level)
                end++;
        else
            end = n;
        for (guint i = start; i < end; i++) {
            GBytes *key = class_key(f, order[i]);
            gsize size = GPOINTER_TO_SIZE(g_hash_table_lookup(sizes, key));

            g_ptr_array_add(keys, key);
            g_hash_table_insert(sizes, g_bytes_ref(key), GSIZE_TO_POINTER(size + 1));
        }
        for (guint i = start; i < end; i++) {
            GBytes *key = g_ptr_array_index(keys, i - start);
            gboolean joins = GPOINTER_TO_SIZE(g_hash_table_lookup(sizes, key)) >= least;
            gpointer known = joins ? g_hash_table_lookup(classes, key) : NULL;
            guint c = known ? GPOINTER_TO_UINT(known) - 1 : f->n_classes++;

            if (joins && !known)
                g_hash_table_insert(classes, g_bytes_ref(key), GUINT_TO_POINTER(c + 1));
            f->class_of[order[i]] = c;
            f->class_size[c]++;
        }
        start = end;
    }
}

static void
fold_init(Fold *f, const HaPicture *in, guint level)
{
    guint n = in->nodes->len;

    *f = (Fold){.in = in, .level = level};
    f->class_of = g_new0(guint, n);
    f->class_size = g_new0(guint, n);
    f->red = g_new0(gboolean, n);
    f->out_edges = g_new(GArray *, n);
    for (guint i = 0; i < n; i++)
        f->out_edges[i] = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < in->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(in, i);

        g_array_append_val(f->out_edges[e->from], i);
        if (e->flags & HA_PIC_RED)
            f->red[e->from] = f->red[e->to] = TRUE;
    }
    if (level > 0) {
        classify(f);
        return;
    }
    for (guint i = 0; i < n; i++) {
        f->class_of[i] = i;
        f->class_size[i] = 1;
    }
    f->n_classes = n;
}

static void
copy_node(HaPicture *out, const HaPicNode *n)
{
    guint i = ha_picture_add_node(out, n->type->str, (gssize)n->type->len, n->flags, n->level);
    HaPicNode *copy = ha_picture_node(out, i);

    copy->addr = n->addr;
    copy->count = n->count;
    copy->size = n->size;
    copy->text = n->text ? g_string_new_len(n->text->str, (gssize)n->text->len) : NULL;
    copy->note = g_strdup(n->note);
    copy->details = g_strdup(n->details);
}

/* A member of a folded node, for its tooltip. Raw texts may hold NUL and newlines: made safe here. */
static void
append_member(GString *details, const HaPicNode *n)
{
    if (details->len)
        g_string_append_c(details, '\n');
    if (n->count != 1) {
        g_autofree char *count = ha_text_count(n->count);
        g_string_append_printf(details, "%s × ", count);
    }
    ha_text_append_safe(details, n->type->str, n->type->len, 60);
    if (n->addr)
        g_string_append_printf(details, " 0x%" G_GINT64_MODIFIER "x", n->addr);
    if (n->text && n->text->len) {
        g_string_append_c(details, ' ');
        ha_text_append_safe(details, n->text->str, n->text->len, 60);
    }
}

static void
merge_nodes(HaPicture *out, const Fold *f, const GArray *members)
{
    const HaPicNode *first = ha_picture_node(f->in, g_array_index(members, guint, 0));
    guint index = ha_picture_add_node(out, first->type->str, (gssize)first->type->len, first->flags, first->level);
    HaPicNode *merged = ha_picture_node(out, index);
    g_autoptr(GHashTable) types = g_hash_table_new((GHashFunc)g_string_hash, (GEqualFunc)g_string_equal);
    GString *details = g_string_new(NULL);
    gboolean same_text = TRUE, same_note = TRUE;

    merged->count = 0;
    for (guint i = 0; i < members->len; i++) {
        const HaPicNode *n = ha_picture_node(f->in, g_array_index(members, guint, i));

        merged->count += n->count;
        merged->size += n->size;
        merged->level = MIN(merged->level, n->level);
        g_hash_table_add(types, n->type);
        same_text &= first->text && n->text && g_string_equal(first->text, n->text);
        same_note &= g_strcmp0(first->note, n->note) == 0;
        if (i < LISTED)
            append_member(details, n);
    }
    if (members->len > LISTED)
        g_string_append_printf(details, "\n… and %u more", members->len - LISTED);
    merged->details = g_string_free(details, FALSE);
    if (same_text)
        merged->text = g_string_new_len(first->text->str, (gssize)first->text->len);
    if (same_note)
        merged->note = g_strdup(first->note);
    if (g_hash_table_size(types) > 1) {
        g_autofree char *count = ha_text_count(merged->count ? merged->count : members->len);
        g_string_printf(merged->type, "%s %s of %u types", count, merged->count ? "objects" : "roots",
                        g_hash_table_size(types));
        merged->flags |= HA_PIC_GROUP;
    } else if (merged->flags & HA_PIC_MORE) {
        g_autofree char *count = ha_text_count(merged->count);
        g_string_printf(merged->type, "… %s more", count);
    } else if (merged->count == 0) {
        g_autofree char *type = g_strndup(first->type->str, first->type->len);
        g_string_printf(merged->type, "%u × %s", members->len, type);
    }
}

/* All edges from one class to another with the same flags. */
typedef struct {
    guint from, to, flags;
    GPtrArray *names;  /* GString *, borrowed, all different; NULL for none */
    GArray *counts;    /* guint64, by name */
    GHashTable *index; /* name → its place + 1; the one without a name has the empty name */
} Bundle;

static Bundle *
bundle_new(guint from, guint to, guint flags)
{
    Bundle *b = g_new(Bundle, 1);

    *b = (Bundle){from,
                  to,
                  flags,
                  g_ptr_array_new(),
                  g_array_new(FALSE, FALSE, sizeof(guint64)),
                  g_hash_table_new((GHashFunc)g_string_hash, (GEqualFunc)g_string_equal)};
    return b;
}

static void
bundle_free(gpointer data)
{
    Bundle *b = data;

    g_ptr_array_unref(b->names);
    g_array_unref(b->counts);
    g_hash_table_unref(b->index);
    g_free(b);
}

static void
bundle_add(Bundle *b, const HaPicEdge *e)
{
    static GString none = {(char *)"", 0, 0};
    GString *key = e->name ? e->name : &none;
    gpointer known = g_hash_table_lookup(b->index, key);

    if (known) {
        g_array_index(b->counts, guint64, GPOINTER_TO_UINT(known) - 1) += e->count;
        return;
    }
    g_ptr_array_add(b->names, e->name);
    g_array_append_val(b->counts, e->count);
    g_hash_table_insert(b->index, key, GUINT_TO_POINTER(b->names->len));
}

static void
bundle_emit(HaPicture *out, const Bundle *b, guint from, guint to)
{
    if (b->names->len <= NAMES_KEPT) {
        for (guint i = 0; i < b->names->len; i++) {
            const GString *name = g_ptr_array_index(b->names, i);
            ha_picture_add_edge(out, from, to, b->flags, g_array_index(b->counts, guint64, i), name ? name->str : NULL,
                                name ? (gssize)name->len : 0);
        }
        return;
    }
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < b->names->len; i++) {
        const GString *name = g_ptr_array_index(b->names, i);
        char *t = ha_name_template(name ? name->str : "", name ? name->len : 0);
        gpointer known = g_hash_table_lookup(seen, t);

        if (known) {
            ha_picture_edge(out, GPOINTER_TO_UINT(known) - 1)->count += g_array_index(b->counts, guint64, i);
            g_free(t);
            continue;
        }
        ha_picture_add_edge(out, from, to, b->flags, g_array_index(b->counts, guint64, i), *t ? t : NULL, -1);
        g_hash_table_insert(seen, t, GUINT_TO_POINTER(out->edges->len));
    }
}

static void
fold_edges(HaPicture *out, const Fold *f, const guint *node_of)
{
    g_autoptr(GPtrArray) bundles = g_ptr_array_new_with_free_func(bundle_free);
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < f->in->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(f->in, i);
        guint from = f->class_of[e->from], to = f->class_of[e->to];
        g_autofree char *key = g_strdup_printf("%u %u %u", from, to, e->flags);
        Bundle *b = g_hash_table_lookup(index, key);

        if (!b) {
            b = bundle_new(from, to, e->flags);
            g_ptr_array_add(bundles, b);
            g_hash_table_insert(index, g_steal_pointer(&key), b);
        }
        bundle_add(b, e);
    }
    for (guint i = 0; i < bundles->len; i++) {
        const Bundle *b = g_ptr_array_index(bundles, i);
        bundle_emit(out, b, node_of[b->from], node_of[b->to]);
    }
}

/* A node that does nothing but pass on: one neighbour refers to it, it refers to one. */
typedef struct {
    guint next, previous; /* nodes; G_MAXUINT: none or several */
} Link;

static Link *
find_links(const HaPicture *p)
{
    Link *links = g_new(Link, p->nodes->len);
    g_autofree gboolean *broken = g_new0(gboolean, p->nodes->len);

    for (guint i = 0; i < p->nodes->len; i++) {
        links[i] = (Link){G_MAXUINT, G_MAXUINT};
        broken[i] = ha_picture_node(p, i)->flags & ~(guint)HA_PIC_GROUP;
    }
    for (guint i = 0; i < p->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(p, i);
        Link *from = &links[e->from], *to = &links[e->to];

        if (e->from == e->to || e->flags & (HA_PIC_WEAK | HA_PIC_RED) ||
            (from->next != G_MAXUINT && from->next != e->to))
            broken[e->from] = TRUE;
        if (e->flags & (HA_PIC_WEAK | HA_PIC_RED) || (to->previous != G_MAXUINT && to->previous != e->from))
            broken[e->to] = TRUE;
        from->next = e->to;
        to->previous = e->from;
    }
    for (guint i = 0; i < p->nodes->len; i++)
        if (broken[i] || links[i].next == G_MAXUINT || links[i].previous == G_MAXUINT)
            links[i] = (Link){G_MAXUINT, G_MAXUINT};
    return links;
}

static void
emit_chain(HaPicture *out, const HaPicture *in, const GArray *run)
{
    const HaPicNode *first = ha_picture_node(in, g_array_index(run, guint, 0));
    const HaPicNode *last = ha_picture_node(in, g_array_index(run, guint, run->len - 1));
    guint index = ha_picture_add_node(out, "", 0, HA_PIC_GROUP, last->level);
    HaPicNode *chain = ha_picture_node(out, index);
    GString *details = g_string_new(NULL);
    gboolean same = TRUE;

    chain->count = 0;
    chain->text = g_string_new(NULL);
    for (guint i = 0; i < run->len; i++) {
        const HaPicNode *n = ha_picture_node(in, g_array_index(run, guint, i));

        chain->count += n->count;
        chain->size += n->size;
        chain->level = MIN(chain->level, n->level);
        same &= g_string_equal(first->type, n->type);
        if (i)
            g_string_append(chain->text, " → ");
        g_string_append_len(chain->text, n->type->str, (gssize)n->type->len);
        if (i < LISTED)
            append_member(details, n);
    }
    if (run->len > LISTED)
        g_string_append_printf(details, "\n… and %u more", run->len - LISTED);
    chain->details = g_string_free(details, FALSE);
    g_autofree char *count = ha_text_count(chain->count);
    g_string_printf(chain->type, "chain of %s ", count);
    if (same) {
        g_string_append_len(chain->type, first->type->str, (gssize)first->type->len);
        g_string_truncate(chain->text, 0);
    } else {
        g_string_append(chain->type, "objects");
    }
}

static HaPicture *copy_frame(const HaPicture *in);

static HaPicture *
fold_chains(const HaPicture *in, guint least)
{
    g_autofree Link *links = find_links(in);
    HaPicture *out = copy_frame(in);
    g_autofree guint *node_of = g_new(guint, in->nodes->len);
    g_autofree gboolean *done = g_new0(gboolean, in->nodes->len);
    g_autofree guint64 *inner = g_new0(guint64, in->nodes->len); /* by node of out: references inside the chain */

    for (guint i = 0; i < in->nodes->len; i++) {
        if (done[i])
            continue;
        guint head = i;
        g_autoptr(GArray) run = g_array_new(FALSE, FALSE, sizeof(guint));
        if (links[i].next != G_MAXUINT) {
            while (links[links[head].previous].next != G_MAXUINT && links[head].previous != i)
                head = links[head].previous;
            for (guint k = head; links[k].next != G_MAXUINT; k = links[k].next) {
                g_array_append_val(run, k);
                if (links[k].next == head)
                    break;
            }
        }
        if (run->len < least) {
            node_of[i] = out->nodes->len;
            copy_node(out, ha_picture_node(in, i));
            done[i] = TRUE;
            continue;
        }
        for (guint k = 0; k < run->len; k++) {
            node_of[g_array_index(run, guint, k)] = out->nodes->len;
            done[g_array_index(run, guint, k)] = TRUE;
        }
        emit_chain(out, in, run);
    }
    for (guint i = 0; i < in->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(in, i);
        guint from = node_of[e->from], to = node_of[e->to];

        if (from == to && e->from != e->to) {
            inner[from] += e->count;
            continue;
        }
        ha_picture_add_edge(out, from, to, e->flags, e->count, e->name ? e->name->str : NULL,
                            e->name ? (gssize)e->name->len : 0);
    }
    for (guint i = 0; i < out->nodes->len; i++)
        if (inner[i]) {
            HaPicNode *n = ha_picture_node(out, i);
            g_autofree char *count = ha_text_count(inner[i]);
            g_free(n->note);
            n->note = g_strdup_printf("%s references inside", count);
        }
    return out;
}

static HaPicture *
copy_frame(const HaPicture *in)
{
    HaPicture *out = ha_picture_new("");

    g_string_append_len(out->title, in->title->str, (gssize)in->title->len);
    for (guint i = 0; i < in->notes->len; i++)
        ha_picture_note(out, "%s", (char *)g_ptr_array_index(in->notes, i));
    return out;
}

HaPicture *
ha_fold(const HaPicture *in, guint level)
{
    HaPicture *out = copy_frame(in);
    Fold f;

    g_assert(level <= HA_FOLD_LAST);
    fold_init(&f, in, level);
    /* In the order of each class's first node, so that equal input gives equal output. */
    g_autofree guint *node_of = g_new(guint, in->nodes->len);
    g_autofree GArray **members = g_new0(GArray *, in->nodes->len);
    for (guint i = 0; i < in->nodes->len; i++) {
        guint c = f.class_of[i];
        if (!members[c])
            members[c] = g_array_new(FALSE, FALSE, sizeof(guint));
        g_array_append_val(members[c], i);
    }
    for (guint i = 0; i < in->nodes->len; i++) {
        guint c = f.class_of[i];
        if (g_array_index(members[c], guint, 0) != i)
            continue;
        node_of[c] = out->nodes->len;
        if (members[c]->len == 1)
            copy_node(out, ha_picture_node(in, i));
        else
            merge_nodes(out, &f, members[c]);
    }
    fold_edges(out, &f, node_of);
    for (guint c = 0; c < f.n_classes; c++)
        g_array_unref(members[c]);
    fold_clear(&f);
    if (level > 0) {
        HaPicture *short_ = fold_chains(out, level == 1 ? 5 : 3);
        ha_picture_free(out);
        out = short_;
    }
    return out;
}

/* Edges of several names between the same nodes are one arrow. */
static guint
count_arrows(const HaPicture *p)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < p->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(p, i);
        guint64 *key = g_new(guint64, 1);

        *key = (guint64)e->from << 32 | e->to;
        g_hash_table_add(seen, key);
    }
    return g_hash_table_size(seen);
}

HaPicture *
ha_fold_to_fit(const HaPicture *in, guint max_nodes, guint max_arrows, guint *level)
{
    for (guint l = *level;; l++) {
        HaPicture *out = ha_fold(in, l);

        if (l >= HA_FOLD_LAST || (out->nodes->len <= max_nodes && count_arrows(out) <= max_arrows)) {
            *level = l;
            return out;
        }
        ha_picture_free(out);
    }
}
