// SPDX-License-Identifier: MIT
/*
 * Tables as CSV (RFC 4180): a header, CRLF, text in quotes, NULL as nothing. What a spreadsheet would take for a formula gets an apostrophe in
 * front, and so does what begins with one, so that it can be taken away again.
 */
#include <string.h>
#include <sys/stat.h>

#include "cli/ha-out-file.h"
#include "export/ha-export.h"
#include "export/ha-tables.h"
#include "text/ha-escape.h"

/* A spreadsheet may pass over blanks in front, and knows wide forms of the signs, too. */
static gboolean
may_be_formula(const char *text, gsize n)
{
    gsize i = 0;
    guint32 c = 0;
    while (i < n && text[i] == ' ')
        i++;
    if (i == n || ha_utf8_decode(text + i, n - i, &c) == 0)
        return FALSE;
    static const guint32 signs[] = {'=', '+', '-', '@', '|', 0xff1d, 0xff0b, 0xff0d, 0xff20, 0x2212};
    for (guint k = 0; k < G_N_ELEMENTS(signs); k++)
        if (c == signs[k])
            return TRUE;
    return FALSE;
}

/* -5 and +1.5e9 stay what they are. */
static gboolean
is_number(const char *text, gsize n)
{
    gsize i = n > 0 && (text[0] == '-' || text[0] == '+');
    return i < n && g_ascii_isdigit(text[i]) && strspn(text + i, "0123456789.eE") == n - i;
}

static void
write_text(HaOut *out, const char *text, gsize n)
{
    ha_out_char(out, '"');
    if ((n > 0 && text[0] == '\'') || (may_be_formula(text, n) && !is_number(text, n)))
        ha_out_char(out, '\'');
    for (const char *quote; (quote = memchr(text, '"', n)) != NULL;) {
        ha_out_bytes(out, text, quote + 1 - text);
        ha_out_char(out, '"');
        n -= quote + 1 - text;
        text = quote + 1;
    }
    ha_out_bytes(out, text, n);
    ha_out_char(out, '"');
}

static gboolean
take(const HaTable *table, const HaCell *cells, gpointer user, GError **error)
{
    HaOut *out = user;
    (void)error;
    for (guint i = 0; i < table->n_fields; i++) {
        if (i > 0)
            ha_out_char(out, ',');
        if (!cells[i].known)
            continue;
        switch (table->fields[i].kind) {
        case HA_FIELD_TEXT:
            write_text(out, cells[i].text, cells[i].n);
            break;
        case HA_FIELD_ADDR:
            ha_out_text(out, "0x");
            ha_out_hex(out, cells[i].number, 1);
            break;
        case HA_FIELD_NUMBER:
        default:
            ha_out_uint(out, cells[i].number);
            break;
        }
    }
    ha_out_text(out, "\r\n");
    return TRUE;
}

static gboolean
write_table(HaTables *tables, HaTableKind kind, HaOut *out, GError **error)
{
    const HaTable *table = &ha_tables[kind];
    for (guint i = 0; i < table->n_fields; i++) {
        if (i > 0)
            ha_out_char(out, ',');
        ha_out_text(out, table->fields[i].name);
    }
    ha_out_text(out, "\r\n");
    HaRowSink sink = {take, out, out};
    return ha_tables_write(tables, kind, &sink, error);
}

/* "app.csv" and "refs" → "app-refs.csv"; the objects have the name itself. */
static char *
path_of(const char *path, HaTableKind kind)
{
    if (kind == HA_TABLE_OBJECTS)
        return g_strdup(path);
    gsize n = strlen(path);
    gboolean has_suffix = n > 4 && g_ascii_strcasecmp(path + n - 4, ".csv") == 0 && path[n - 5] != '/';
    gsize stem = has_suffix ? n - 4 : n;
    return g_strdup_printf("%.*s-%s%s", (int)stem, path, ha_tables[kind].name, path + stem);
}

/* All of them stand under their names at the end, or none of them does that was not there before. */
static gboolean
write_all(HaTables *tables, const char *path, GError **error)
{
    HaOutFile *files[HA_TABLE_COUNT] = {NULL};
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < HA_TABLE_COUNT; i++) {
        g_autofree char *name = path_of(path, i);
        files[i] = ha_out_file_new(name, HA_OUT_FILE_PRIVATE, error);
        ok = files[i] != NULL && write_table(tables, i, ha_out_file_out(files[i]), error) &&
             ha_out_file_flush(files[i], error);
    }
    for (guint i = 0; i < HA_TABLE_COUNT; i++)
        if (ok)
            ok = ha_out_file_finish(files[i], error);
        else if (files[i] != NULL)
            ha_out_file_abandon(files[i]);
    return ok;
}

static gboolean
write_one(HaTables *tables, HaTableKind kind, const char *path, GError **error)
{
    HaOutFile *file = ha_out_file_new(path, HA_OUT_FILE_PRIVATE, error);
    if (file == NULL)
        return FALSE;
    if (!write_table(tables, kind, ha_out_file_out(file), error)) {
        ha_out_file_abandon(file);
        return FALSE;
    }
    return ha_out_file_finish(file, error);
}

gboolean
ha_export_csv(const HaContext *c, const char *path, GError **error)
{
    const char *name = ha_options_text(c->options, "table");
    HaTableKind kind = HA_TABLE_OBJECTS;
    for (guint i = 0; name != NULL && i < HA_TABLE_COUNT; i++)
        if (strcmp(name, ha_tables[i].name) == 0)
            kind = i;
    struct stat facts;
    gboolean one_only = path == NULL || (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode));
    g_autoptr(HaTables) tables = ha_tables_new(c);
    if (name == NULL && one_only)
        ha_note("writing the objects alone: --table " HA_TABLE_NAMES " for another table, -o FILE.csv for all of them");
    if (path == NULL)
        return write_table(tables, kind, c->out, error);
    return name == NULL && !one_only ? write_all(tables, path, error) : write_one(tables, kind, path, error);
}
