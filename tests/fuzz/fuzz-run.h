// SPDX-License-Identifier: MIT
#pragma once
/* What fuzzers of the analyzer share. One thread. */
#include "graph/ha-graph.h"

extern GRand *rnd; /* the fuzzer's */
guint below(guint n);

/* Runs a command line, program first, on g, with other to compare with. It may fail; what it prints is UTF-8 without control characters. */
void fuzz_run(HaGraph *g, HaGraph *other, const char *line);
