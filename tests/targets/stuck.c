// SPDX-License-Identifier: MIT
/* For a target that hangs in the kernel: the thread that calls this cannot be interrupted until a byte comes through the pipe. */
#include <unistd.h>

void stuck(int fd);

void
stuck(int fd)
{
    char byte;
    pid_t pid = vfork();

    if (pid == 0) {
        _exit(read(fd, &byte, 1) != 1);
    }
}
