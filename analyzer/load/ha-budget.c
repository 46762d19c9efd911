// SPDX-License-Identifier: MIT
#include "ha-budget.h"

#include <fcntl.h>
#include <heapfile/reader.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load/ha-load.h"
#include "graph/ha-memory.h"
#include "text/ha-size.h"

#define TAIL 4096u

void
ha_budget_init(HaBudget *b, const char *name, int fd)
{
    struct stat facts;
    *b = (HaBudget){.name = name, .fd = -1};
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size <= 0)
        return;
    b->file_bytes = facts.st_size;
    b->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void
ha_budget_clear(HaBudget *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
    g_clear_error(&b->error);
}

static gboolean
fits(const HaBudget *b, guint64 objects, guint64 refs, guint64 bytes, guint64 have, gboolean exact, GError **error)
{
    guint64 need =
        ha_memory_needed(objects, refs, bytes) + (b->for_index ? ha_memory_needed_by_index(objects, refs) : 0);
    HaMemory memory = ha_memory_available();
    if (b->waived || need < HA_MEMORY_WORTH || need <= memory.bytes || need - memory.bytes <= have)
        return TRUE;
    g_autofree char *needed = ha_size_text(need), *left = ha_size_text(memory.bytes + have);
    g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_NO_MEMORY,
                "'%s' needs %s %s of memory for %s%" G_GUINT64_FORMAT " objects, and there are %s %s: %s", b->name,
                exact ? "some" : "about", needed, exact ? "" : "about ", objects, left, memory.who, memory.remedy);
    return FALSE;
}

/* The END chunk of a file that is not compressed. */
static gboolean
read_totals(const HaBudget *b, guint64 *objects, guint64 *refs)
{
    guint8 tail[TAIL], magic[8];
    gsize n = MIN(b->file_bytes, TAIL);
    if (b->fd < 0 || pread(b->fd, magic, sizeof magic, 0) != sizeof magic ||
        memcmp(magic, HF_MAGIC, sizeof magic) != 0 || pread(b->fd, tail, n, (off_t)(b->file_bytes - n)) != (ssize_t)n)
        return FALSE;
    for (gsize at = 0; at + sizeof(struct hf_chunk_header) <= n; at++) {
        struct hf_chunk_header h;
        memcpy(&h, tail + at, sizeof h);
        const guint8 *payload = tail + at + sizeof h;
        gsize length = n - at - sizeof h;
        if (h.kind != HF_CHUNK_END || h.length != length ||
            h.checksum != hf_xxh64(payload, length, h.kind | (guint64)h.rows << 32))
            continue;
        gsize used = hf_unpack_uv(payload, length, objects);
        (void)hf_unpack_uv(payload + used, length - used, refs);
        return TRUE;
    }
    return FALSE;
}

gboolean
ha_budget_check_end(HaBudget *b, GError **error)
{
    guint64 objects, refs;
    if (!read_totals(b, &objects, &refs))
        return TRUE;
    /* totals are only believed as far as the file has room for them: an object takes two bytes at least, a reference one */
    return fits(b, MIN(objects, b->file_bytes / 2), MIN(refs, b->file_bytes), b->file_bytes, 0, TRUE, error);
}

gboolean
ha_budget_check(HaBudget *b, guint64 objects, guint64 refs, guint64 bytes)
{
    off_t at = b->fd >= 0 ? lseek(b->fd, 0, SEEK_CUR) : -1;
    guint64 have = ha_memory_taken(objects, bytes);
    if (at <= 0 || (guint64)at > b->file_bytes || bytes < HA_MEMORY_WORTH / 4)
        return TRUE;
    double more = (double)b->file_bytes / (double)at;
    return fits(b, (guint64)((double)objects * more), (guint64)((double)refs * more), (guint64)((double)bytes * more),
                have, FALSE, &b->error);
}
