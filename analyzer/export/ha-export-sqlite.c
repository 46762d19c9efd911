// SPDX-License-Identifier: MIT
/*
 * Tables as an SQLite database, with indexes and views for the usual questions. It is written in one transaction into a file that has no
 * other name yet: no journal is needed, and only the commit waits for the disk. Addresses are integers, those from 2^63 on negative, as
 * SQLite takes 0xffffffff81000000, too; numbers beyond 2^63 - 1 become floating-point ones.
 */
#include <errno.h>
#include <gio/gio.h>
#include <sqlite3.h>
#include <string.h>

#include "cli/ha-out-file.h"
#include "export/ha-export.h"
#include "export/ha-tables.h"

#define SCHEMA "1" /* user_version; another one when columns change their meaning */

typedef struct {
    sqlite3 *db;          /* owned */
    sqlite3_stmt *insert; /* owned; of the table at hand */
    const char *path;     /* for messages */
} Database;

static void
database_clear(Database *d)
{
    sqlite3_finalize(d->insert);
    sqlite3_close(d->db);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Database, database_clear)

static gboolean
fail(const Database *d, GError **error)
{
    int code = sqlite3_errcode(d->db), number = sqlite3_system_errno(d->db);
    const char *remedy =
        code == SQLITE_FULL || number == ENOSPC || number == EFBIG || number == EDQUOT ? "; make room" : "";
    const char *why = code == SQLITE_FULL ? "the disk is full, or the folder of temporary files is (SQLITE_TMPDIR)"
                      : code == SQLITE_IOERR && number != 0 ? g_strerror(number)
                                                            : sqlite3_errmsg(d->db);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot write '%s': %s%s", d->path, why, remedy);
    return FALSE;
}

static gboolean
run_sql(const Database *d, const char *sql, GError **error)
{
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(d, error);
}

/* What makes a row one of its own: rows come in this order, so that it costs no sorting. */
static const char *
key_of(HaTableKind kind)
{
    switch (kind) {
    case HA_TABLE_OBJECTS:
        return "addr";
    case HA_TABLE_REFS:
        return "referrer, position";
    case HA_TABLE_TYPES:
    case HA_TABLE_THREADS:
        return "id";
    case HA_TABLE_FRAMES:
        return "thread, depth";
    case HA_TABLE_META:
        return "key";
    case HA_TABLE_ROOTS:
    case HA_TABLE_VARIABLES:
    case HA_TABLE_COUNT:
    default:
        return NULL;
    }
}

static gboolean
create_table(Database *d, HaTableKind kind, GError **error)
{
    const HaTable *table = &ha_tables[kind];
    const char *key = key_of(kind);
    gboolean is_rowid = key != NULL && (strcmp(key, "addr") == 0 || strcmp(key, "id") == 0);
    g_autoptr(GString) create = g_string_new(NULL), insert = g_string_new(NULL);
    g_string_append_printf(create, "CREATE TABLE %s (", table->name);
    g_string_append_printf(insert, "INSERT INTO %s VALUES (", table->name);
    for (guint i = 0; i < table->n_fields; i++) {
        const char *name = table->fields[i].name;
        g_string_append_printf(create, "%s%s %s%s", i > 0 ? ", " : "", name,
                               table->fields[i].kind == HA_FIELD_TEXT ? "TEXT" : "INTEGER",
                               is_rowid && strcmp(name, key) == 0 ? " PRIMARY KEY" : "");
        g_string_append(insert, i > 0 ? ",?" : "?");
    }
    if (key != NULL && !is_rowid)
        g_string_append_printf(create, ", PRIMARY KEY (%s)) WITHOUT ROWID", key);
    else
        g_string_append_c(create, ')');
    g_string_append_c(insert, ')');
    sqlite3_finalize(g_steal_pointer(&d->insert));
    return run_sql(d, create->str, error) &&
           (sqlite3_prepare_v2(d->db, insert->str, -1, &d->insert, NULL) == SQLITE_OK || fail(d, error));
}

static int
bind(sqlite3_stmt *insert, int at, HaFieldKind kind, const HaCell *cell)
{
    if (!cell->known)
        return sqlite3_bind_null(insert, at);
    if (kind == HA_FIELD_TEXT)
        return sqlite3_bind_text64(insert, at, cell->text, cell->n, SQLITE_STATIC, SQLITE_UTF8);
    if (kind == HA_FIELD_NUMBER && cell->number > G_MAXINT64)
        return sqlite3_bind_double(insert, at, (double)cell->number);
    return sqlite3_bind_int64(insert, at, (sqlite3_int64)cell->number);
}

static gboolean
take(const HaTable *table, const HaCell *cells, gpointer user, GError **error)
{
    const Database *d = user;
    for (guint i = 0; i < table->n_fields; i++)
        if (bind(d->insert, (int)i + 1, table->fields[i].kind, &cells[i]) != SQLITE_OK)
            return fail(d, error);
    if (sqlite3_step(d->insert) != SQLITE_DONE || sqlite3_reset(d->insert) != SQLITE_OK)
        return fail(d, error);
    return TRUE;
}

static const char before[] = "PRAGMA page_size = 8192;"
                             "PRAGMA journal_mode = OFF;" /* a file that is not whole is thrown away */
                             "PRAGMA locking_mode = EXCLUSIVE;"
                             "PRAGMA synchronous = NORMAL;" /* once, at the commit */
                             "PRAGMA cache_size = -65536;"
                             "PRAGMA user_version = " SCHEMA ";"
                             "BEGIN";

/* Views print addresses as people write them: printf knows no sign with %x. */
static const char after[] =
    "CREATE INDEX objects_type ON objects (type);"
    "CREATE INDEX objects_retained ON objects (retained);"
    "CREATE INDEX refs_referent ON refs (referent);"
    "CREATE INDEX roots_addr ON roots (addr);"
    "CREATE VIEW types_by_size AS"
    " SELECT name AS type, sum(count) AS count, sum(size) AS size, sum(retained) AS retained FROM types"
    " WHERE count > 0 GROUP BY name ORDER BY sum(size) DESC, name;"
    "CREATE VIEW largest_retained AS"
    " SELECT printf('0x%x', addr) AS address, type, size, retained, content, root FROM objects ORDER BY retained DESC;"
    "CREATE VIEW referrers AS"
    " SELECT r.referent AS addr, printf('0x%x', r.referrer) AS referrer, o.type, r.name, r.weak, o.retained, o.content"
    " FROM refs r LEFT JOIN objects o ON o.addr = r.referrer;"
    "CREATE VIEW referents AS"
    " SELECT r.referrer AS addr, r.position, r.name, printf('0x%x', r.referent) AS referent, o.type, r.weak, "
    "o.retained, o.content"
    " FROM refs r LEFT JOIN objects o ON o.addr = r.referent;"
    "CREATE VIEW stacks AS"
    " SELECT t.name AS thread, f.thread AS id, f.depth, f.function, f.file, f.line FROM frames f"
    " JOIN threads t ON t.id = f.thread ORDER BY f.thread, f.depth;"
    "COMMIT";

static gboolean
write_database(Database *d, const char *temporary, HaTables *tables, GError **error)
{
    if (sqlite3_open_v2(temporary, &d->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return fail(d, error);
    if (!run_sql(d, before, error))
        return FALSE;
    HaRowSink sink = {.take = take, .user = d};
    for (guint i = 0; i < HA_TABLE_COUNT; i++)
        if (!create_table(d, i, error) || !ha_tables_write(tables, i, &sink, error))
            return FALSE;
    sqlite3_finalize(g_steal_pointer(&d->insert));
    return run_sql(d, after, error);
}

gboolean
ha_export_sqlite(const HaContext *c, const char *path, GError **error)
{
    HaOutFile *file = ha_out_file_new(path, HA_OUT_FILE_PRIVATE, error);
    if (file == NULL)
        return FALSE;
    if (ha_out_file_temporary(file) == NULL) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "'%s' is no regular file: a database is written to one only",
                    path);
        ha_out_file_abandon(file);
        return FALSE;
    }
    gboolean ok;
    {
        g_autoptr(HaTables) tables = ha_tables_new(c);
        g_auto(Database) d = {.path = path};
        ok = write_database(&d, ha_out_file_temporary(file), tables, error);
    }
    if (!ok) {
        ha_out_file_abandon(file);
        return FALSE;
    }
    return ha_out_file_finish(file, error);
}
