// SPDX-License-Identifier: MIT
/*
 * For a target that stands in the middle of a collection: a tp_traverse that at its N-th call for one object says so and waits for a byte. In a copy of the process it
 * does not.
 */
#include <unistd.h>

typedef int (*traverse)(void *self, void *visit, void *arg);

void wait_at(traverse original, void *object, int call);
int waiting_traverse(void *self, void *visit, void *arg);

static struct {
    traverse original;
    void *object;
    pid_t pid;
    int calls_left;
} state;

void
wait_at(traverse original, void *object, int call)
{
    state.original = original;
    state.object = object;
    state.pid = getpid();
    state.calls_left = call;
}

int
waiting_traverse(void *self, void *visit, void *arg)
{
    char byte;

    if (self == state.object && state.calls_left > 0 && getpid() == state.pid && --state.calls_left == 0 &&
        write(1, "{}\n", 3) == 3)
        while (read(0, &byte, 1) != 1)
            continue;
    return state.original(self, visit, arg);
}
