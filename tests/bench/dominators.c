// SPDX-License-Identifier: MIT
/*
 * Processor time of what retained sizes cost, over that of a plain depth-first search of the same graph in the same process:
 * dominators DUMP…. Prints a line for each. The kernel's part is that of handing out memory, which depends on the machine: where a
 * hypervisor takes back what is free it is ten times what it is elsewhere. So the ratio is there without it, too.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "analyses/ha-dominators.h"
#include "graph/ha-mem.h"
#include "load/ha-load.h"

typedef struct {
    double all, kernel; /* seconds */
} Time;

static Time
now(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double kernel = (double)r.ru_stime.tv_sec + (double)r.ru_stime.tv_usec / 1e6;
    return (Time){kernel + (double)r.ru_utime.tv_sec + (double)r.ru_utime.tv_usec / 1e6, kernel};
}

static Time
since(Time start)
{
    Time end = now();
    return (Time){end.all - start.all, end.kernel - start.kernel};
}

/* Whichever took less. */
static Time
better(Time a, Time b)
{
    return b.all < a.all ? b : a;
}

typedef struct {
    HaId id;
    gsize next;
} Step;

/* Preorder numbers of what roots reach, as any search needs them. */
static guint32
search(const HaGraph *g, const HaLedger *ledger)
{
    guint32 n = ha_graph_n_objects(g), count = 0;
    guint32 *number = ha_mem_new0(n, sizeof *number);
    Step *stack = ha_mem_new(n, sizeof *stack);
    g_assert(number != NULL && stack != NULL);
    for (HaId root = 0; root < n; root++) {
        gsize depth = 0;
        gsize roots;
        (void)ha_graph_roots_of(g, root, &roots);
        if (number[root] != 0 || (roots == 0 && ha_ledger_surplus(ledger, root) == 0))
            continue;
        number[root] = ++count;
        stack[depth++] = (Step){.id = root};
        while (depth > 0) {
            Step *step = &stack[depth - 1];
            gsize n_refs;
            const HaId *refs = ha_graph_referents(g, step->id, &n_refs);
            while (step->next < n_refs && number[refs[step->next]] != 0)
                step->next++;
            if (step->next == n_refs) {
                depth--;
                continue;
            }
            HaId to = refs[step->next++];
            number[to] = ++count;
            stack[depth++] = (Step){.id = to};
        }
    }
    ha_mem_free(number);
    ha_mem_free(stack);
    return count;
}

int
main(int argc, char **argv)
{
    printf("%12s %12s %18s %9s %18s %7s %s\n", "objects", "references", "search (kernel)", "reverse",
           "dominators (kernel)", "ratio", "without kernel");
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HaGraph) g = ha_load_file(argv[i], &error);
        g_autoptr(HaLedger) ledger = g != NULL ? ha_ledger_new(g, &error) : NULL;
        g_autoptr(HaBits) live = ledger != NULL ? ha_live_objects(g, ledger, &error) : NULL;
        Time start = now();
        if (live == NULL || !ha_graph_need_referrers(g, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        Time reverse = since(start), plain = {1e9, 0}, dominators = {1e9, 0};
        for (guint round = 0; round < 3; round++) {
            start = now();
            if (search(g, ledger) > ha_graph_n_objects(g))
                return 1;
            plain = better(plain, since(start));
            start = now();
            g_autoptr(HaDominators) d = ha_dominators_new(g, ledger, live, &error);
            if (d == NULL) {
                fprintf(stderr, "%s\n", error->message);
                return 1;
            }
            dominators = better(dominators, since(start));
        }
        printf("%12u %12" G_GUINT64_FORMAT " %7.3f s (%6.3f) %7.3f s %8.3f s (%6.3f) %7.2f %7.2f\n",
               ha_graph_n_objects(g), ha_graph_n_refs(g), plain.all, plain.kernel, reverse.all, dominators.all,
               dominators.kernel, dominators.all / plain.all,
               (dominators.all - dominators.kernel) / (plain.all - plain.kernel));
        fflush(stdout);
    }
    return 0;
}
