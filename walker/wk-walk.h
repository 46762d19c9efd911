// SPDX-License-Identifier: MIT
#pragma once
/* The walk itself (walk.c) as the entry sees it. */
#include "wk-private.h"

void wk_walk_init(struct wk *w);
void wk_walk(struct wk *w);                   /* writes all that is marked and all that it leads to */
uint64_t wk_sweeps(const struct wk *w);       /* how many it took */
uint64_t wk_found_around(const struct wk *w); /* objects that neighbours.c came upon */

/* ---- output.c */
bool wk_output_open(struct wk *w);                       /* data file or FIFO; the writer */
void wk_output_meta(struct wk *w);                       /* what is known at the start */
void wk_output_finish(struct wk *w, const char *reason); /* counters, END; reason NULL: complete */
bool wk_output_result(const struct wk_args *args,
                      const char *word); /* the small JSON file, by rename; word: NULL or instead of the status's own */
const char *wk_status_text(uint32_t status);

/* ---- entry.c */
#define WK_STATE_SIZE 8192u /* of the mapping that holds struct wk */
_Static_assert(sizeof(struct wk) <= WK_STATE_SIZE, "struct wk outgrew its mapping");
void walker_entry(struct wk_args *args);
void wk_run(struct wk_args *args); /* the whole walk; returns in both modes */
