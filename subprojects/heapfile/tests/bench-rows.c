// SPDX-License-Identifier: MIT
/* How many rows a second the writer and the reader do. The writer's figure is time inside the snapshot of a process in production. */
#include <heapfile/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct memory {
    uint8_t *bytes;
    size_t n, room, at;
};

static bool
keep(void *user, const void *bytes, size_t n)
{
    struct memory *m = user;
    if (m->n + n > m->room)
        return false;
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
    return true;
}

static bool
drop(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    *(uint64_t *)user += n;
    return true;
}

static long
take(void *user, void *bytes, size_t n)
{
    struct memory *m = user;
    if (n > m->n - m->at)
        n = m->n - m->at;
    memcpy(bytes, m->bytes + m->at, n);
    m->at += n;
    return (long)n;
}

static bool
sum_object(void *user, const struct hf_object_row *row)
{
    *(uint64_t *)user += row->addr ^ row->size;
    return true;
}

static double
cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A heap of rows ascending by address, as the walker's sweeps meet them, with references of which half are near. */
#define N_PATTERN 4096u
static uint64_t refs[N_PATTERN + 64];

static void
write_rows(struct hf_writer *w, uint32_t n_rows, unsigned n_refs, size_t content_len)
{
    static const char content[64] = "an ordinary string, as long as attribute names and so on are...";
    hf_write_header(w, 8);
    hf_write_type(
        w, &(struct hf_type_row){.addr = 0x7f0000001000, .name = "builtins.thing", .name_len = 14, .common_size = 56});
    hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_INDEX}, 1);
    uint64_t addr = 0x7f1234560000;
    for (uint32_t i = 0; i < n_rows; i++) {
        addr += 48 + (i % 7) * 16;
        hf_write_object(w, &(struct hf_object_row){.addr = addr,
                                                   .type = 1,
                                                   .size = 60 + i % 200,
                                                   .refcount = 1 + i % 3,
                                                   .flags = HF_OBJ_SIZE | HF_OBJ_REFCOUNT | HF_OBJ_GC |
                                                            (content_len > 0 ? HF_OBJ_CONTENT : 0),
                                                   .content = content,
                                                   .content_len = content_len,
                                                   .layout = 1,
                                                   .refs = refs + i % N_PATTERN,
                                                   .n_refs = n_refs});
    }
    hf_writer_finish(w, HF_END_COMPLETE, "");
}

int
main(void)
{
    const uint32_t n_rows = 4000000;
    uint64_t random = 88172645463325252ull;
    for (unsigned i = 0; i < N_PATTERN + 64; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        refs[i] = 0x7f1234560000 + (random % (i % 2 ? 1u << 12 : 1u << 30)) * 16;
    }
    static const struct {
        const char *what;
        unsigned n_refs;
        size_t content_len;
    } cases[] = {{"bare", 0, 0},          {"1 ref", 1, 0},         {"4 refs", 4, 0},
                 {"12-byte text", 0, 12}, {"60-byte text", 0, 60}, {"32 refs", 32, 0}};
    struct hf_writer *w = malloc(sizeof *w);
    void *memory = malloc(HF_WRITER_MEMORY);
    struct memory m = {.room = (size_t)1 << 30};
    m.bytes = malloc(m.room);
    if (w == NULL || memory == NULL || m.bytes == NULL)
        return 1;
    printf("%-14s %10s %12s %10s %12s\n", "rows", "bytes/row", "write M/s", "MB/s", "read M/s");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t dropped = 0;
        hf_writer_init(w, memory, drop, &dropped);
        double t0 = cpu_seconds();
        write_rows(w, n_rows, cases[i].n_refs, cases[i].content_len);
        double wrote = cpu_seconds() - t0;
        m.n = m.at = 0;
        hf_writer_init(w, memory, keep, &m);
        write_rows(w, n_rows, cases[i].n_refs, cases[i].content_len);
        uint64_t sum = 0;
        struct hf_reader *r = hf_reader_new(take, &m);
        t0 = cpu_seconds();
        enum hf_status status = hf_read_all(r, &(struct hf_handlers){.object = sum_object}, &sum);
        double read = cpu_seconds() - t0;
        if (status != HF_EOF) {
            fprintf(stderr, "%s\n", hf_reader_error(r));
            return 1;
        }
        hf_reader_free(r);
        printf("%-14s %10.1f %12.1f %10.0f %12.1f\n", cases[i].what, (double)m.n / n_rows, n_rows / wrote * 1e-6,
               (double)m.n / wrote * 1e-6, n_rows / read * 1e-6);
    }
    free(m.bytes);
    free(memory);
    free(w);
    return 0;
}
