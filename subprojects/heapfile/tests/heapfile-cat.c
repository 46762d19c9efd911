// SPDX-License-Identifier: MIT
/* Prints a dump (plain, gzip, zstd) as text, a line a row; for developers and tests. */
#include "dump-text.h"
#include <heapfile/stream.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum hf_status
print_chunk(struct hf_reader *r, GString *out)
{
    struct hf_chunk_header chunk;
    const uint8_t *payload;
    enum hf_status status = hf_read_chunk(r, &chunk, &payload);
    if (status == HF_OK)
        status = hf_decode_chunk(r, &chunk, payload, &text_handlers, out);
    fwrite(out->str, 1, out->len, stdout);
    g_string_truncate(out, 0);
    return status;
}

int
main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    if (fd < 0) {
        fprintf(stderr, "heapfile-cat: %s: %s\n", argc == 2 ? argv[1] : "stdin", strerror(errno));
        return 1;
    }
    struct hf_stream *s = hf_stream_new(fd);
    struct hf_reader *r = s != NULL ? hf_stream_reader(s) : NULL;
    if (r == NULL) {
        hf_stream_free(s);
        return 1;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    struct hf_file_header header;
    enum hf_status status = hf_read_header(r, &header);
    if (status == HF_OK)
        text_file(out, &header);
    while (status == HF_OK)
        status = print_chunk(r, out);
    if (status != HF_EOF)
        fprintf(stderr, "heapfile-cat: %s\n", hf_reader_error(r));
    hf_reader_free(r);
    hf_stream_free(s);
    return status == HF_EOF && fflush(stdout) == 0 ? 0 : 1;
}
