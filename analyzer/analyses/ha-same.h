// SPDX-License-Identifier: MIT
#pragma once
/*
 * Which objects of one dump are those of another: address and type name agree, and so does what cannot change (content of str, bytes,
 * int, float, code, functions, modules…; items and length of tuples). Containers may have grown. Pure functions of two graphs.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"

typedef struct HaSame HaSame;

HaSame *ha_same_new(const HaGraph *a, const HaGraph *b); /* borrows both */
void ha_same_free(HaSame *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaSame, ha_same_free)

HaId ha_same_find(const HaSame *s, HaId in_a); /* the object in b; HA_ID_NONE: not there */

/* Keeps in chosen (ids of a) what lives in b too, or, with keep FALSE, what does not. */
void ha_same_narrow(const HaSame *s, const HaBits *live_in_b, gboolean keep, HaBits *chosen);
