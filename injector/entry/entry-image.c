// SPDX-License-Identifier: MIT
/*
 * The region's image and the stub. The layout is drawn in ep-abi.h.
 */
#include "entry-image.h"
#include <signal.h>
#include <string.h>
#include "../error.h"
#include "entry-bytes.h"
#include "ep-stub-layout.h"

#define PAGE          4096u
#define ADDRESS_LIMIT (1ull << 47)
#define JITTER_PAGES  4096u
#define ROUND(n)      (((n) + PAGE - 1) & ~(guint64)(PAGE - 1))
#define SIGNAL_BIT(n) (1ull << ((n)-1))

G_STATIC_ASSERT(sizeof(struct ep_args) <= PAGE);
G_STATIC_ASSERT(EP_XSAVE_MAX % PAGE == 0 && EP_STACK % PAGE == 0);

/* Offsets from the region's base. */
typedef struct {
    guint64 walker, args, walker_args, texts, xsave, end;
} Layout;

static gsize
text_size(GBytes *text)
{
    return text ? g_bytes_get_size(text) + 1 : 0;
}

static Layout
lay_out(const InjEntryJob *job)
{
    Layout l;
    guint64 at = ROUND(ep_blob_size);

    l.walker = at;
    at += job->walker ? ROUND(g_bytes_get_size(job->walker)) : 0;
    l.args = at;
    at += PAGE;
    l.walker_args = at;
    at += job->walker ? ROUND(sizeof(struct wk_args)) : 0;
    l.texts = at;
    at += text_size(job->collect) + text_size(job->runner) + text_size(job->payload);
    l.xsave = ROUND(at);
    l.end = l.xsave + EP_XSAVE_MAX + EP_STACK;
    return l;
}

gsize
inj_entry_image_size(const InjEntryJob *job)
{
    return lay_out(job).end;
}

guint64
inj_entry_place(const GArray *maps, gsize size, guint32 jitter)
{
    guint64 best = 0, start = 0;

    for (guint i = 0; i + 1 < maps->len; i++) {
        guint64 from = g_array_index(maps, InjMapping, i).end;
        guint64 to = MIN(g_array_index(maps, InjMapping, i + 1).start, ADDRESS_LIMIT);

        if (to > from && to - from > best) {
            best = to - from;
            start = from;
        }
    }
    /* The middle, and room for the heap to grow up to it and for mappings to grow down to it. */
    if (best / 4 < size + (guint64)JITTER_PAGES * PAGE)
        return 0;
    return ROUND(start + best / 2) + (guint64)(jitter % JITTER_PAGES) * PAGE;
}

/* A NUL follows: the interpreter takes our texts as C strings. */
static struct ep_span
put(guint8 *image, guint64 *at, GBytes *text)
{
    struct ep_span span = {0};
    gsize n;
    const void *bytes;

    if (!text)
        return span;
    bytes = g_bytes_get_data(text, &n);
    if (n)
        memcpy(image + *at, bytes, n);
    span = (struct ep_span){.offset = *at, .size = n};
    *at += n + 1;
    return span;
}

static gboolean
set_path(char to[EP_PATH_MAX], const char *folder, const char *name, GError **error)
{
    int n = g_snprintf(to, EP_PATH_MAX, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);

    if (n >= 0 && n < EP_PATH_MAX)
        return TRUE;
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "path %.40s… is longer than %d bytes; choose a shorter --stage-dir",
                folder ? folder : name, EP_PATH_MAX - 1);
    return FALSE;
}

gboolean
inj_entry_image_make(const InjEntryJob *job, guint64 base, InjEntryImage *out, GError **error)
{
    Layout l = lay_out(job);
    struct ep_args args = {
        .magic = EP_MAGIC, .base = base, .region_size = l.end, .xsave_offset = l.xsave, .inside = EP_INSIDE};
    guint64 at = l.texts;
    g_autofree guint8 *image = NULL;

    if (!set_path(args.image_path, job->stage, INJ_ENTRY_IMAGE, error) ||
        !set_path(args.output_path, job->stage, INJ_ENTRY_OUTPUT, error) ||
        !set_path(args.traceback_path, job->stage, INJ_ENTRY_TRACEBACK, error) ||
        !set_path(args.printed_path, job->stage, INJ_ENTRY_PRINTED, error) ||
        !set_path(args.result_path, job->stage, INJ_ENTRY_RESULT, error) ||
        !set_path(args.result_temp_path, job->stage, INJ_ENTRY_RESULT_TEMP, error) ||
        (job->runner && !set_path(args.payload_name, NULL, job->payload_name, error)))
        return FALSE;
    memcpy(args.symbols, job->symbols, sizeof args.symbols);

    image = g_malloc0(l.xsave);
    memcpy(image, ep_blob, ep_blob_size);
    args.collect = put(image, &at, job->collect);
    args.runner = put(image, &at, job->runner);
    args.payload = put(image, &at, job->payload);
    if (job->walker) {
        gsize n;
        const void *bytes = g_bytes_get_data(job->walker, &n);
        struct wk_args walker_args = *job->walker_args;

        memcpy(image + l.walker, bytes, n);
        walker_args.blob_base = base + l.walker;
        walker_args.mapping_size = l.end - l.walker;
        memcpy(image + l.walker_args, &walker_args, sizeof walker_args);
        args.walker = base + l.walker;
        args.walker_args = base + l.walker_args;
    }
    memcpy(image + l.args, &args, sizeof args);

    *out = (InjEntryImage){
        .bytes = g_bytes_new_take(g_steal_pointer(&image), l.xsave),
        .base = base,
        .size = l.end,
        .code_size = l.args,
        .args = base + l.args,
        .walker_args = job->walker ? base + l.walker_args : 0,
    };
    return TRUE;
}

void
inj_entry_image_clear(InjEntryImage *image)
{
    g_clear_pointer(&image->bytes, g_bytes_unref);
}

static void
set_word(guint8 *params, guint offset, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(params + offset, &value, sizeof value);
}

GBytes *
inj_entry_stub_make(const InjEntryImage *image, const char *path)
{
    const guint64 faults = SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) |
                           SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGSYS);
    gsize code = ep_stub_size - EP_PARAM_PATH, n = ep_stub_size + strlen(path) + 1;
    guint8 *stub = g_malloc0(n), *params = stub + code;

    memcpy(stub, ep_stub, ep_stub_size);
    set_word(params, EP_PARAM_MASK, ~faults);
    set_word(params, EP_PARAM_REGION, image->base);
    set_word(params, EP_PARAM_REGION_SIZE, image->size);
    set_word(params, EP_PARAM_CODE_SIZE, image->code_size);
    set_word(params, EP_PARAM_IMAGE_SIZE, g_bytes_get_size(image->bytes));
    set_word(params, EP_PARAM_ARGS, image->args);
    set_word(params, EP_PARAM_LEFT, image->args + G_STRUCT_OFFSET(struct ep_args, inside));
    memcpy(params + EP_PARAM_PATH, path, strlen(path));
    return g_bytes_new_take(stub, n);
}

guint64
inj_entry_stub_params(guint64 cave)
{
    return cave + ep_stub_size - EP_PARAM_PATH;
}
