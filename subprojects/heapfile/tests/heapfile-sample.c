// SPDX-License-Identifier: MIT
/* Writes one of the sample dumps to stdout, for tests in other languages. */
#include "sample.h"
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    const char *which = argc == 2 ? argv[1] : "";
    g_autoptr(GByteArray) bytes = strcmp(which, "example") == 0 ? sample_example()
                                  : strcmp(which, "zoo") == 0   ? sample_zoo()
                                  : strcmp(which, "large") == 0 ? sample_large()
                                                                : NULL;
    if (bytes == NULL) {
        fputs("usage: heapfile-sample example|zoo|large\n", stderr);
        return 2;
    }
    return fwrite(bytes->data, 1, bytes->len, stdout) == bytes->len && fflush(stdout) == 0 ? 0 : 1;
}
