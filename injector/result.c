// SPDX-License-Identifier: MIT
#include "result.h"
#include <string.h>
#include "error.h"

/* The number behind "name": in a flat object. */
static gboolean
field(const char *text, const char *name, guint64 *out)
{
    g_autofree char *key = g_strdup_printf("\"%s\"", name);
    const char *p = strstr(text, key);

    if (p == NULL)
        return FALSE;
    p += strlen(key);
    while (g_ascii_isspace(*p))
        p++;
    if (*p++ != ':')
        return FALSE;
    while (g_ascii_isspace(*p))
        p++;
    if (!g_ascii_isdigit(*p))
        return FALSE;
    *out = g_ascii_strtoull(p, NULL, 10);
    return TRUE;
}

gboolean
inj_result_parse(const char *bytes, gsize n, struct wk_result *out)
{
    g_autofree char *text = g_strndup(bytes, n);
    struct wk_result r = {0};
    guint64 v;
    const struct {
        const char *name;
        uint64_t *to;
    } fields[] = {
        {"address", &r.address}, {"objects", &r.objects}, {"refs", &r.refs},
        {"bytes", &r.bytes},     {"types", &r.types},     {"skipped", &r.skipped},
        {"wall_us", &r.wall_us}, {"cpu_us", &r.cpu_us},   {"memory", &r.memory},
    };

    if (!field(text, "status", &v) || v > G_MAXUINT32)
        return FALSE;
    r.status = (guint32)v;
    if (field(text, "stage", &v))
        r.stage = (guint32)v;
    if (field(text, "errno", &v))
        r.error = (gint32)v;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (field(text, fields[i].name, &v))
            *fields[i].to = v;
    }
    *out = r;
    return TRUE;
}

gboolean
inj_result_check(const struct wk_result *r, GError **error)
{
    static const struct {
        InjError code;
        const char *text;
    } words[WK_STATUS_COUNT] = {
        [WK_RUNNING] = {INJ_ERROR_FAILED, "the walker did not end"},
        [WK_ERR_ABI] = {INJ_ERROR_FAILED, "walker and driver are of different builds: install them together"},
        [WK_ERR_VERSION] = {INJ_ERROR_NOT_PYTHON, "this version of Python is not known to the walker"},
        [WK_ERR_SYMBOL] = {INJ_ERROR_NOT_PYTHON, "this build of Python hides symbols that the walker needs"},
        [WK_ERR_LAYOUT] =
            {INJ_ERROR_NOT_PYTHON,
             "this Python is laid out in memory in a way that the walker does not know (a patched build, or "
             "not started up yet)"},
        [WK_ERR_OPEN] = {INJ_ERROR_FAILED,
                         "the target may not open the data pipe: name another folder with --stage-dir DIR"},
        [WK_ERR_WRITE] = {INJ_ERROR_FAILED, "the data pipe was closed too early"},
        [WK_ERR_MEMORY] = {INJ_ERROR_FAILED, "the walker needed more memory than it may take"},
        [WK_ERR_FAULT] = {INJ_ERROR_FAILED, "the walker met memory that it could not read, outside of any object"},
        [WK_ERR_TIME] = {INJ_ERROR_TIMEOUT, "the walker could not write for too long"},
        [WK_ERR_INCONSISTENT] = {INJ_ERROR_INCONSISTENT, "the snapshot was taken in the middle of a change"},
    };

    if (r->status == WK_OK)
        return TRUE;
    g_autofree char *detail =
        g_strdup_printf(" (stage %u%s%s, address 0x%" G_GINT64_MODIFIER "x)", r->stage, r->error ? ", " : "",
                        r->error ? g_strerror(ABS(r->error)) : "", r->address);
    if (r->status >= WK_STATUS_COUNT || words[r->status].text == NULL)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the walker ended with status %u%s", r->status, detail);
    else
        g_set_error(error, INJ_ERROR, (int)words[r->status].code, "%s%s", words[r->status].text, detail);
    return FALSE;
}
