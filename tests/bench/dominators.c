// SPDX-License-Identifier: MIT
/*
 * Processor time of what retained sizes cost, over that of a plain depth-first search of the same graph in the same process:
 * dominators DUMP…. Prints a line for each.
 */
#include <stdio.h>
#include <time.h>

#include "analyses/ha-dominators.h"
#include "graph/ha-mem.h"
#include "load/ha-load.h"

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
    printf("%12s %12s %9s %9s %10s %7s\n", "objects", "references", "search", "reverse", "dominators", "ratio");
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HaGraph) g = ha_load_file(argv[i], &error);
        g_autoptr(HaLedger) ledger = g != NULL ? ha_ledger_new(g, &error) : NULL;
        g_autoptr(HaBits) live = ledger != NULL ? ha_live_objects(g, ledger, &error) : NULL;
        double start = now();
        if (live == NULL || !ha_graph_need_referrers(g, &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        double reversed = now(), best = 1e9, dominators = 1e9;
        for (guint round = 0; round < 3; round++) {
            double before = now();
            if (search(g, ledger) > ha_graph_n_objects(g))
                return 1;
            double middle = now();
            g_autoptr(HaDominators) d = ha_dominators_new(g, ledger, live, &error);
            if (d == NULL) {
                fprintf(stderr, "%s\n", error->message);
                return 1;
            }
            best = MIN(best, middle - before);
            dominators = MIN(dominators, now() - middle);
        }
        printf("%12u %12" G_GUINT64_FORMAT " %7.3f s %7.3f s %8.3f s %7.2f\n", ha_graph_n_objects(g),
               ha_graph_n_refs(g), best, reversed - start, dominators, dominators / best);
        fflush(stdout);
    }
    return 0;
}
